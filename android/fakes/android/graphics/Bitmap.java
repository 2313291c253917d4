package android.graphics;

import java.awt.image.BufferedImage;

/** As much of Android's class as the package uses, over a picture of the desktop's Java. */
public final class Bitmap {
    private final BufferedImage image;
    private boolean recycled;

    public enum Config {
        ARGB_8888
    }

    public Bitmap(BufferedImage image) {
        this.image = image;
    }

    public int getWidth() {
        return image == null ? 0 : image.getWidth();
    }

    public int getHeight() {
        return image == null ? 0 : image.getHeight();
    }

    public boolean isRecycled() {
        return recycled;
    }

    public void recycle() {
        recycled = true;
    }

    public void getPixels(int[] pixels, int offset, int stride, int x, int y, int width, int height) {
        if (recycled) throw new IllegalStateException("Can't call getPixels() on a recycled bitmap");
        image.getRGB(x, y, width, height, pixels, offset, stride);
    }
}
