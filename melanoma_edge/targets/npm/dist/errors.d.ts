/** What can go wrong, by `code`, so that an app can react without reading messages. */
export type ErrorCode = 'image' | 'integrity' | 'fetch' | 'runtime' | 'usage';
/** Every error that this package throws on purpose. `message` says what was found and what would be accepted. */
export declare class ClassifierError extends Error {
    readonly code: ErrorCode;
    constructor(code: ErrorCode, message: string, options?: ErrorOptions);
}
