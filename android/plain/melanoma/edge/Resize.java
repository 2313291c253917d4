package melanoma.edge;

/**
 * Pillow's {@code Image.resize(BILINEAR)}, level for level: two passes of fixed-point weights, antialiased when it shrinks.
 *
 * <p>After Pillow's {@code Resample.c}: {@code precompute_coeffs}, {@code normalize_coeffs_8bpc} and
 * {@code ImagingResampleHorizontal_8bpc}.
 */
final class Resize {
    static final int CHANNELS = 3;
    private static final int BITS = 22; // 32 bits less 8 of a pixel and 2 of headroom
    private static final int HALF = 1 << (BITS - 1);

    private final int side;
    private final int size;
    private final int[] first; // of each output, the first input that it reads
    private final int[] count; // and how many
    private final int[] values; // [size, widest]
    private final int widest;

    private Resize(int side, int size) {
        this.side = side;
        this.size = size;
        double scale = (double) side / size;
        double support = Math.max(scale, 1);
        widest = (int) Math.ceil(support) * 2 + 1;
        first = new int[size];
        count = new int[size];
        values = new int[size * widest];
        for (int out = 0; out < size; out++) weigh(out, (out + 0.5) * scale, support);
    }

    /** A square RGB image, {@code side * side * 3} bytes, as {@code size * size * 3} bytes. */
    static byte[] square(byte[] rgb, int side, int size) {
        if (side == size) return rgb.clone();
        Resize weights = new Resize(side, size);
        return weights.vertical(weights.horizontal(rgb));
    }

    private void weigh(int out, double centre, double support) {
        int low = Math.max((int) (centre - support + 0.5), 0);
        int high = Math.min((int) (centre + support + 0.5), side);
        double[] real = new double[high - low];
        double total = 0;
        for (int i = 0; i < real.length; i++) {
            real[i] = Math.max(1 - Math.abs((i + low - centre + 0.5) * (1 / support)), 0);
            total += real[i];
        }
        first[out] = low;
        count[out] = real.length;
        for (int i = 0; i < real.length; i++) values[out * widest + i] = (int) (0.5 + real[i] / total * (1 << BITS));
    }

    /** [side, side, 3] to [side, size, 3]. */
    private byte[] horizontal(byte[] rgb) {
        byte[] result = new byte[side * size * CHANNELS];
        for (int row = 0, to = 0; row < side; row++) {
            for (int out = 0; out < size; out++, to += CHANNELS) {
                int red = HALF;
                int green = HALF;
                int blue = HALF;
                int from = (row * side + first[out]) * CHANNELS;
                for (int i = out * widest, end = i + count[out]; i < end; i++, from += CHANNELS) {
                    int weight = values[i];
                    red += (rgb[from] & 255) * weight;
                    green += (rgb[from + 1] & 255) * weight;
                    blue += (rgb[from + 2] & 255) * weight;
                }
                result[to] = level(red);
                result[to + 1] = level(green);
                result[to + 2] = level(blue);
            }
        }
        return result;
    }

    /** [side, size, 3] to [size, size, 3]. */
    private byte[] vertical(byte[] rgb) {
        int stride = size * CHANNELS;
        byte[] result = new byte[size * stride];
        for (int out = 0; out < size; out++) {
            for (int column = 0; column < stride; column++) {
                int sum = HALF;
                int from = first[out] * stride + column;
                for (int i = out * widest, end = i + count[out]; i < end; i++, from += stride) {
                    sum += (rgb[from] & 255) * values[i];
                }
                result[out * stride + column] = level(sum);
            }
        }
        return result;
    }

    /** Fixed point to 0..255. */
    private static byte level(int sum) {
        return (byte) Math.min(Math.max(sum >> BITS, 0), 255);
    }
}
