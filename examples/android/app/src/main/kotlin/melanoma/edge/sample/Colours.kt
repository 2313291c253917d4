package melanoma.edge.sample

import kotlin.math.abs
import kotlin.math.max
import kotlin.math.roundToInt

private const val FOR = 0xFF7A00 // orange: speaks for melanoma
private const val AGAINST = 0x0072FF // blue: against; told apart by eyes that do not tell red from green
private const val OPACITY = 0.65f // of the strongest place

/** ARGB colours of a heat map, to be laid over the photograph in grey, as the Python package draws them. */
fun colours(values: FloatArray): IntArray {
    val strongest = values.fold(0f) { found, value -> max(found, abs(value)) }
    return IntArray(values.size) { i ->
        val share = if (strongest > 0) values[i] / strongest else 0f
        val opacity = (255 * OPACITY * abs(share)).roundToInt()
        (opacity shl 24) or (if (share > 0) FOR else AGAINST)
    }
}
