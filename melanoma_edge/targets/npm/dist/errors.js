/** Every error that this package throws on purpose. `message` says what was found and what would be accepted. */
export class ClassifierError extends Error {
    code;
    constructor(code, message, options) {
        super(message, options);
        this.name = 'ClassifierError';
        this.code = code;
    }
}
