package melanoma.edge;

/** Where the lesion is on a grid of cells of the blue channel, as {@code melanoma_edge/data/quality.py} defines it. */
final class Lesion {
    private static final int GRID = 32;
    private static final int CENTRE_WEIGHT = 8;

    final double area;
    final double contrast;
    final double offset;
    final double cut;

    private Lesion(double area, double contrast, double offset, double cut) {
        this.area = area;
        this.contrast = contrast;
        this.offset = offset;
        this.cut = cut;
    }

    /** Of RGB bytes {@code [size, size, 3]}. */
    static Lesion in(byte[] rgb, int size) {
        int side = Math.min(GRID, size);
        int[] values = cells(rgb, size, side);
        boolean[] disc = new boolean[side * side];
        for (int cell = 0; cell < disc.length; cell++) disc[cell] = square(cell, side) <= side * side;
        int threshold = otsu(values, disc);
        if (threshold < 0) return new Lesion(0, 0, 0, 0);
        boolean[] dark = new boolean[disc.length];
        for (int cell = 0; cell < dark.length; cell++) dark[cell] = disc[cell] && values[cell] <= threshold;
        return measured(values, disc, threshold, heaviest(side, dark), side);
    }

    private static Lesion measured(int[] values, boolean[] disc, int threshold, boolean[] inside, int side) {
        long n1 = 0, n2 = 0, s1 = 0, s2 = 0, x = 0, y = 0, edgeX = 0, edgeY = 0, discCells = 0, ringCells = 0;
        for (int cell = 0; cell < values.length; cell++) {
            if (!disc[cell]) continue;
            boolean ring = onRing(cell, disc, side);
            discCells++;
            if (ring) ringCells++;
            if (inside[cell]) {
                n1++;
                s1 += values[cell];
                x += across(cell, side);
                y += down(cell, side);
                if (ring) {
                    edgeX += across(cell, side);
                    edgeY += down(cell, side);
                }
            } else if (values[cell] > threshold) {
                n2++;
                s2 += values[cell];
            }
        }
        return new Lesion(
            n1 / (double) discCells,
            (s2 * n1 - s1 * n2) / (double) (n1 * n2),
            Math.sqrt((double) (x * x + y * y)) / (n1 * side),
            Math.sqrt((double) (edgeX * edgeX + edgeY * edgeY)) / (ringCells * side));
    }

    /** Rounded means of the blue channel over the cells. */
    private static int[] cells(byte[] rgb, int size, int side) {
        int[] values = new int[side * side];
        for (int a = 0; a < side; a++) {
            int top = a * size / side;
            int bottom = (a + 1) * size / side;
            for (int b = 0; b < side; b++) {
                int left = b * size / side;
                int right = (b + 1) * size / side;
                long sum = 0;
                for (int row = top; row < bottom; row++) {
                    for (int column = left; column < right; column++) sum += rgb[(row * size + column) * 3 + 2] & 255;
                }
                long n = (long) (bottom - top) * (right - left);
                values[a * side + b] = (int) ((2 * sum + n) / (2 * n));
            }
        }
        return values;
    }

    /** y of a cell, in half cells from the middle. */
    private static int down(int cell, int side) {
        return 2 * (cell / side) + 1 - side;
    }

    private static int across(int cell, int side) {
        return 2 * (cell % side) + 1 - side;
    }

    private static int square(int cell, int side) {
        return down(cell, side) * down(cell, side) + across(cell, side) * across(cell, side);
    }

    private static boolean onRing(int cell, boolean[] disc, int side) {
        for (int next : neighbours(cell, side)) if (next < 0 || !disc[next]) return true;
        return false;
    }

    /** The four cells around a cell; -1 for those outside the grid. */
    private static int[] neighbours(int cell, int side) {
        int column = cell % side;
        return new int[] {
            cell >= side ? cell - side : -1,
            cell < side * (side - 1) ? cell + side : -1,
            column > 0 ? cell - 1 : -1,
            column < side - 1 ? cell + 1 : -1,
        };
    }

    /** Otsu's threshold over the disc, the lowest of equals; -1 when all values are the same. */
    private static int otsu(int[] values, boolean[] disc) {
        int[] histogram = new int[256];
        long count = 0;
        long total = 0;
        for (int cell = 0; cell < values.length; cell++) {
            if (!disc[cell]) continue;
            histogram[values[cell]]++;
            count++;
            total += values[cell];
        }
        int best = -1;
        double highest = -1;
        long w0 = 0;
        long s0 = 0;
        for (int level = 0; level < 255; level++) {
            w0 += histogram[level];
            s0 += (long) histogram[level] * level;
            long w1 = count - w0;
            if (w0 == 0 || w1 == 0) continue;
            double d = s0 * w1 - (total - s0) * w0;
            double score = d * d / (double) (w0 * w1);
            if (score > highest) {
                best = level;
                highest = score;
            }
        }
        return best;
    }

    /** The heaviest 4-connected set of these cells; of equals, the first row by row. */
    private static boolean[] heaviest(int side, boolean[] cells) {
        boolean[] seen = new boolean[cells.length];
        boolean[] best = new boolean[cells.length];
        int[] waiting = new int[cells.length];
        int most = 0;
        for (int start = 0; start < cells.length; start++) {
            if (seen[start] || !cells[start]) continue;
            boolean[] members = new boolean[cells.length];
            int weight = 0;
            int held = 0;
            waiting[held++] = start;
            seen[start] = true;
            while (held > 0) {
                int cell = waiting[--held];
                members[cell] = true;
                weight += 4 * square(cell, side) <= side * side ? CENTRE_WEIGHT : 1;
                for (int next : neighbours(cell, side)) {
                    if (next < 0 || seen[next] || !cells[next]) continue;
                    seen[next] = true;
                    waiting[held++] = next;
                }
            }
            if (weight > most) {
                most = weight;
                best = members;
            }
        }
        return best;
    }
}
