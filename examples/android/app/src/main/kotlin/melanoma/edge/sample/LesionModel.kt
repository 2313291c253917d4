package melanoma.edge.sample

import android.app.Application
import android.graphics.Bitmap
import android.net.Uri
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.MutableLiveData
import java.io.IOException
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger

/** What is on the screen. */
sealed class Screen {
    object Instructions : Screen()

    object Camera : Screen()

    object Working : Screen()

    class Result(val photograph: Bitmap?, val found: Found) : Screen()

    class Sorry(val why: Why, val told: String = "") : Screen()
}

/** Why there is no result. */
enum class Why { NO_PERMISSION, NO_CAMERA, BAD_PICTURE, NO_NETWORK }

/** State that outlives a rotation, and the one thread that the network runs on. Nothing is written anywhere. */
class LesionModel(application: Application) : AndroidViewModel(application) {
    val screen = MutableLiveData<Screen>(Screen.Instructions)
    val lacks = MutableLiveData<List<String>?>()
    val tested = MutableLiveData<Boolean>()

    private val worker = Executors.newSingleThreadExecutor()
    private val analyser = Analyser(application)
    private val looking = AtomicBoolean()
    private val latest = AtomicInteger() // an answer to a photograph that the user left is not shown

    fun go(to: Screen) {
        latest.incrementAndGet()
        screen.value = to
    }

    /** Classify a photograph that the user chose. */
    fun open(uri: Uri) = answer {
        getApplication<Application>().contentResolver.openInputStream(uri)?.use { it.readBytes() }
    }

    /** Classify a photograph that was taken. */
    fun judge(file: ByteArray) = answer { file }

    /** Tell what the view through the camera lacks; a view that comes while another is looked at is left out. */
    fun watch(view: Bitmap) {
        if (!looking.compareAndSet(false, true)) return
        worker.execute {
            lacks.postValue(analyser.lacks(view))
            looking.set(false)
        }
    }

    fun selfTest() = worker.execute { tested.postValue(analyser.selfTest()) }

    private fun answer(read: () -> ByteArray?) {
        go(Screen.Working)
        val mine = latest.get()
        worker.execute {
            val found = judged(read)
            if (latest.get() == mine) screen.postValue(found)
        }
    }

    private fun judged(read: () -> ByteArray?): Screen {
        val file = try {
            read()
        } catch (gone: IOException) {
            null
        } ?: return Screen.Sorry(Why.BAD_PICTURE)
        return when (val outcome = analyser.judge(file)) {
            is Found -> Screen.Result(photograph(file), outcome)
            is Refused -> Screen.Sorry(if (outcome.image) Why.BAD_PICTURE else Why.NO_NETWORK, outcome.told)
        }
    }

    override fun onCleared() {
        worker.execute(analyser::close) // behind what still runs
        worker.shutdown()
    }
}
