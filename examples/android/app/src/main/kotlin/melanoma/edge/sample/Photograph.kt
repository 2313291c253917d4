package melanoma.edge.sample

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import androidx.exifinterface.media.ExifInterface
import java.io.ByteArrayInputStream
import java.io.IOException
import kotlin.math.min

private const val SHOWN = 1080 // pixels: enough for any screen's width

/** The upright photograph's centred square, which is what the network sees, for the screen alone. Null when unreadable. */
fun photograph(file: ByteArray): Bitmap? {
    val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    BitmapFactory.decodeByteArray(file, 0, file.size, bounds)
    val options = BitmapFactory.Options().apply { inSampleSize = 1 }
    while (min(bounds.outWidth, bounds.outHeight) / (2 * options.inSampleSize) >= SHOWN) options.inSampleSize *= 2
    val found = BitmapFactory.decodeByteArray(file, 0, file.size, options) ?: return null
    val side = min(found.width, found.height)
    val (left, top) = (found.width - side) / 2 to (found.height - side) / 2
    return Bitmap.createBitmap(found, left, top, side, side, turned(file), true)
}

private fun turned(file: ByteArray): Matrix {
    val exif = try {
        ExifInterface(ByteArrayInputStream(file))
    } catch (unreadable: IOException) {
        return Matrix()
    }
    return Matrix().apply {
        if (exif.isFlipped) postScale(-1f, 1f) // flipped first, then turned, as ExifInterface counts them
        postRotate(exif.rotationDegrees.toFloat())
    }
}
