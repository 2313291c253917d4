package melanoma.edge;

/** What this package throws on purpose. The message says what was found and what would be accepted. */
public final class ClassifierException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What went wrong, so that an app can react without reading messages. */
    public enum Code {
        /** The input cannot be decoded, or is of a kind that no two decoders read alike. */
        IMAGE,
        /** An asset is not the one that was built. */
        INTEGRITY,
        /** An asset could not be read. */
        ASSET,
        /** LiteRT could not load or run the network. */
        RUNTIME,
        /** Called in a way that is not supported, or after close(). */
        USAGE
    }

    /** What went wrong. */
    private final Code code;

    ClassifierException(Code code, String message) {
        this(code, message, null);
    }

    ClassifierException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    /** @return what went wrong */
    public Code code() {
        return code;
    }
}
