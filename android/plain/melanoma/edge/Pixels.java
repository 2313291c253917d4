package melanoma.edge;

/** Decoded pixels as they lie in the file, not turned: an Android Bitmap, or anything else. */
interface Pixels {
    int width();

    int height();

    /** Write {@code count} pixels of row y from column x on into {@code argb}: 0xAARRGGBB, sRGB, not premultiplied. */
    void row(int x, int y, int count, int[] argb);
}
