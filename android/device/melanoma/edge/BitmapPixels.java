package melanoma.edge;

import android.graphics.Bitmap;

/** An Android Bitmap's pixels. */
final class BitmapPixels implements Pixels {
    private final Bitmap bitmap;

    /** Throws ClassifierException IMAGE for null and a recycled bitmap. */
    BitmapPixels(Bitmap bitmap) {
        if (bitmap == null) throw Frame.unusable("the bitmap is null: a picture is accepted");
        if (bitmap.isRecycled()) throw Frame.unusable("the bitmap is recycled: one that still has its pixels is accepted");
        this.bitmap = bitmap;
    }

    @Override
    public int width() {
        return bitmap.getWidth();
    }

    @Override
    public int height() {
        return bitmap.getHeight();
    }

    @Override
    public void row(int x, int y, int count, int[] argb) {
        try {
            bitmap.getPixels(argb, 0, count, x, y, count, 1);
        } catch (IllegalStateException cause) { // recycled meanwhile, or Config.HARDWARE
            String told = "the bitmap's pixels cannot be read: one in software memory is accepted";
            throw new ClassifierException(ClassifierException.Code.IMAGE, told, cause);
        }
    }
}
