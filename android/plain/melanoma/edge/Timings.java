package melanoma.edge;

/** Milliseconds. */
public final class Timings {
    /** Decoding and cutting. */
    public final double decode;
    /** Resizing and normalising. */
    public final double prepare;
    /** The network alone. */
    public final double network;
    /** All of these. */
    public final double total;

    Timings(long started, long decoded, long prepared, long ended) {
        decode = (decoded - started) / 1e6;
        prepare = (prepared - decoded) / 1e6;
        network = (ended - prepared) / 1e6;
        total = (ended - started) / 1e6;
    }
}
