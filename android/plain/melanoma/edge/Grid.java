package melanoma.edge;

/** A heat map: where the network saw melanoma (above 0) and what spoke against it (below 0). */
public final class Grid {
    /** Columns. */
    public final int width;
    /** Rows. */
    public final int height;
    /** {@code [height, width]}, row by row. */
    public final float[] values;

    Grid(int width, int height, float[] values) {
        this.width = width;
        this.height = height;
        this.values = values;
    }
}
