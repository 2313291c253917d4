package melanoma.edge;

/**
 * How a photograph is, without a network. {@code melanoma_edge/data/quality.py} defines the measures; these are the same
 * numbers to the bit: integers below 2^53 up to one division or square root in float64.
 */
public final class Measures {
    private static final int SHADOW = 15;
    private static final int HIGHLIGHT = 250;

    /** Mean of the squared Laplacian of the luminance. */
    public final double focus;
    /** Mean, 0 to 255. */
    public final double luminance;
    /** Share of the pixels with luminance up to 15. */
    public final double shadows;
    /** Share of the pixels with a channel from 250 up. */
    public final double highlights;
    /** Lesion's share of the disc. */
    public final double area;
    /** How much darker the lesion is than the skin, in levels of blue. */
    public final double contrast;
    /** Of the lesion's centre from the middle, in radii. */
    public final double offset;
    /** How much of the lesion the frame cuts off, to one side. */
    public final double cut;

    private Measures(double focus, double luminance, double shadows, double highlights, Lesion lesion) {
        this.focus = focus;
        this.luminance = luminance;
        this.shadows = shadows;
        this.highlights = highlights;
        this.area = lesion.area;
        this.contrast = lesion.contrast;
        this.offset = lesion.offset;
        this.cut = lesion.cut;
    }

    /** Of RGB bytes {@code [size, size, 3]}. */
    static Measures of(byte[] rgb, int size) {
        int count = size * size;
        int[] light = new int[count];
        long sum = 0;
        int dark = 0;
        int bright = 0;
        for (int i = 0; i < count; i++) {
            int red = rgb[3 * i] & 255;
            int green = rgb[3 * i + 1] & 255;
            int blue = rgb[3 * i + 2] & 255;
            int y = (77 * red + 150 * green + 29 * blue + 128) >> 8;
            light[i] = y;
            sum += y;
            if (y <= SHADOW) dark++;
            if (Math.max(red, Math.max(green, blue)) >= HIGHLIGHT) bright++;
        }
        double all = count;
        return new Measures(focus(light, size), sum / all, dark / all, bright / all, Lesion.in(rgb, size));
    }

    private static double focus(int[] light, int size) {
        int k = Math.max(1, (size + 80) / 160);
        long sum = 0;
        int count = 0;
        for (int i = k; i < size - k; i++) {
            for (int j = i * size + k, end = i * size + size - k; j < end; j++) {
                long curved = 4 * light[j] - light[j - k * size] - light[j + k * size] - light[j - k] - light[j + k];
                sum += curved * curved;
                count++;
            }
        }
        return count > 0 ? sum / (double) count : 0;
    }
}
