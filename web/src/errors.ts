/** What can go wrong, by `code`, so that an app can react without reading messages. */
export type ErrorCode =
  | 'image' // the input cannot be decoded, or is of a kind that no two decoders read alike
  | 'integrity' // a fetched file is not the one that was built
  | 'fetch' // a file could not be fetched
  | 'runtime' // the runtime or the model could not be loaded or run
  | 'usage'; // called in a way that is not supported, or after dispose()

/** Every error that this package throws on purpose. `message` says what was found and what would be accepted. */
export class ClassifierError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ClassifierError';
    this.code = code;
  }
}
