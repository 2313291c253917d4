package melanoma.edge;

/** The upright image's largest centred square, as Python's preprocessing cuts it. */
final class Frame {
    static final int MIN_SIDE = 8;
    static final int MAX_SIDE = 20_000;
    static final int MAX_PIXELS = 89_478_485; // as in Python

    final byte[] rgb; // side * side * 3
    final int side;

    private Frame(byte[] rgb, int side) {
        this.rgb = rgb;
        this.side = side;
    }

    /**
     * Cut and turn. An odd pixel of margin goes to the right or bottom of the upright image.
     *
     * @param orientation EXIF's, 1 to 8; anything else is upright, as in Pillow
     * @throws ClassifierException IMAGE for sides or areas outside the limits, and for transparent pixels
     */
    static Frame of(Pixels image, int orientation) {
        int width = image.width();
        int height = image.height();
        check(width, height);
        int turned = orientation < 1 || orientation > 8 ? 1 : orientation;
        boolean swaps = turned >= 5; // rows become columns
        boolean mirrorsX = turned == 2 || turned == 3 || turned == 7 || turned == 8; // along the file's rows
        boolean mirrorsY = turned == 3 || turned == 4 || turned == 6 || turned == 7; // along its columns
        int side = Math.min(width, height);
        int left = mirrorsX ? width - side - (width - side) / 2 : (width - side) / 2;
        int top = mirrorsY ? height - side - (height - side) / 2 : (height - side) / 2;
        byte[] rgb = new byte[side * side * Resize.CHANNELS];
        int[] row = new int[side];
        int alpha = 255 << 24;
        for (int j = 0; j < side; j++) {
            image.row(left, top + j, side, row);
            int y = mirrorsY ? side - 1 - j : j;
            for (int i = 0; i < side; i++) {
                int x = mirrorsX ? side - 1 - i : i;
                int to = (swaps ? x * side + y : y * side + x) * Resize.CHANNELS;
                rgb[to] = (byte) (row[i] >> 16);
                rgb[to + 1] = (byte) (row[i] >> 8);
                rgb[to + 2] = (byte) row[i];
                alpha &= row[i];
            }
        }
        if (alpha >>> 24 != 255) throw unusable("the image has transparent pixels: an opaque one is accepted");
        return new Frame(rgb, side);
    }

    /** Throws ClassifierException IMAGE for sides or areas outside the limits. */
    static void check(int width, int height) {
        long area = (long) width * height;
        if (Math.min(width, height) >= MIN_SIDE && Math.max(width, height) <= MAX_SIDE && area <= MAX_PIXELS) return;
        throw unusable("the image has " + width + " x " + height + " pixels: sides from " + MIN_SIDE + " to " + MAX_SIDE
            + " and at most " + MAX_PIXELS + " pixels in all are accepted");
    }

    static ClassifierException unusable(String message) {
        return new ClassifierException(ClassifierException.Code.IMAGE, message);
    }
}
