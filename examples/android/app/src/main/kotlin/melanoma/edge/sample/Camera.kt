package melanoma.edge.sample

import android.graphics.Bitmap
import android.util.Rational
import android.view.Surface
import androidx.activity.ComponentActivity
import androidx.camera.core.CameraSelector
import androidx.camera.core.ImageCapture
import androidx.camera.core.ImageCaptureException
import androidx.camera.core.Preview
import androidx.camera.core.UseCaseGroup
import androidx.camera.core.ViewPort
import androidx.camera.lifecycle.ProcessCameraProvider
import androidx.camera.view.PreviewView
import androidx.core.content.ContextCompat
import java.io.ByteArrayOutputStream

/** The camera behind a square view: what is seen in it is what is taken. Lives as long as its activity. */
class Camera(private val activity: ComponentActivity, private val view: PreviewView) {
    private var wanted = false
    private var provider: ProcessCameraProvider? = null
    private var capture: ImageCapture? = null

    /** Show what it sees. [failed] is called when there is no camera, or another app holds it. */
    fun open(failed: () -> Unit) {
        if (wanted) return
        wanted = true
        val coming = ProcessCameraProvider.getInstance(activity)
        val ready = Runnable {
            if (!wanted) return@Runnable // closed meanwhile
            try {
                provider = coming.get().also(::bind)
            } catch (none: Exception) { // CameraX throws many kinds, all of which mean this
                wanted = false
                failed()
            }
        }
        coming.addListener(ready, ContextCompat.getMainExecutor(activity))
    }

    fun close() {
        wanted = false
        provider?.unbindAll()
    }

    /** What is seen right now, if anything. */
    fun look(): Bitmap? = if (wanted) view.bitmap else null

    /** Take a photograph: the bytes of a JPEG file, which stands nowhere else. */
    fun take(taken: (ByteArray) -> Unit, failed: () -> Unit) {
        val bytes = ByteArrayOutputStream()
        val saved = object : ImageCapture.OnImageSavedCallback {
            override fun onImageSaved(results: ImageCapture.OutputFileResults) = taken(bytes.toByteArray())

            override fun onError(error: ImageCaptureException) = failed()
        }
        val options = ImageCapture.OutputFileOptions.Builder(bytes).build()
        capture?.takePicture(options, ContextCompat.getMainExecutor(activity), saved) ?: failed()
    }

    private fun bind(to: ProcessCameraProvider) {
        val rotation = view.display?.rotation ?: Surface.ROTATION_0
        val preview = Preview.Builder().setTargetRotation(rotation).build()
        preview.setSurfaceProvider(view.surfaceProvider)
        val taking = ImageCapture.Builder()
            .setTargetRotation(rotation)
            .setCaptureMode(ImageCapture.CAPTURE_MODE_MAXIMIZE_QUALITY)
            .build()
        val both = UseCaseGroup.Builder()
            .addUseCase(preview)
            .addUseCase(taking)
            .setViewPort(ViewPort.Builder(Rational(1, 1), rotation).build())
            .build()
        to.unbindAll()
        to.bindToLifecycle(activity, CameraSelector.DEFAULT_BACK_CAMERA, both)
        capture = taking
    }
}
