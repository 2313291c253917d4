package melanoma.edge.sample

import android.content.Context
import android.graphics.Bitmap
import java.io.Closeable
import melanoma.edge.Classification
import melanoma.edge.ClassifierException
import melanoma.edge.MelanomaClassifier

/** What the library says to a photograph, or why it says nothing. */
sealed class Outcome

/** It was classified. [map] is null when the network was built without heat maps. */
data class Found(
    val title: String,
    val advice: String,
    val uncertain: Boolean,
    val probability: Double,
    val lacks: List<String>,
    val notice: String,
    val map: Heat?
) : Outcome()

/** It was not. [image]: the picture is the reason, and another one may do. */
data class Refused(val image: Boolean, val told: String) : Outcome()

/** Where the network looked: ARGB colours, row by row. */
class Heat(val width: Int, val height: Int, val colours: IntArray)

/** The only class that calls the library. It loads the network when it is first asked: use it away from the main thread. */
class Analyser(private val context: Context) : Closeable {
    private var opened: MelanomaClassifier? = null

    /** Of the bytes of a JPEG or PNG file. */
    fun judge(file: ByteArray): Outcome = try {
        found(classifier().classify(file))
    } catch (refused: ClassifierException) {
        Refused(refused.code() == ClassifierException.Code.IMAGE, refused.message.orEmpty())
    }

    /** What the view through the camera lacks, in the policy's words; null when it cannot be told. No probability yet. */
    fun lacks(view: Bitmap): List<String>? = try {
        classifier().classify(view).quality.words
    } catch (refused: ClassifierException) {
        null
    }

    /** Whether this device computes what Python computed, to the last pixel and logit. */
    fun selfTest(): Boolean = try {
        classifier().selfTest().passed
    } catch (refused: ClassifierException) {
        false
    }

    override fun close() {
        opened?.close()
        opened = null
    }

    private fun classifier() = opened ?: MelanomaClassifier.create(context).also { opened = it }

    private fun found(said: Classification) = Found(
        title = said.tier.title,
        advice = said.tier.advice,
        uncertain = said.uncertain,
        probability = said.probability,
        lacks = said.quality.words,
        notice = said.notice,
        map = said.heatMap?.let { Heat(it.width, it.height, colours(it.values)) }
    )
}
