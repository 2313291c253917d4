package melanoma.edge.sample

import android.content.Context
import android.graphics.Bitmap
import android.graphics.ColorMatrix
import android.graphics.ColorMatrixColorFilter
import androidx.annotation.StringRes
import androidx.core.view.isVisible
import melanoma.edge.sample.databinding.ScreenResultBinding

/** Show what the library said. */
fun ScreenResultBinding.show(screen: Screen.Result) {
    val found = screen.found
    title.text = found.title
    advice.text = found.advice
    doubt.isVisible = found.uncertain
    probability.isVisible = true
    probability.text = root.context.getString(R.string.probability, 100 * found.probability)
    lacks.isVisible = true
    lacks.text = root.context.listed(found.lacks, R.string.fit_photograph)
    notice.text = found.notice
    picture.isVisible = screen.photograph != null
    photograph.setImageBitmap(screen.photograph)
    showMap(found.map)
}

/** Show why it said nothing. */
fun ScreenResultBinding.show(screen: Screen.Sorry) {
    title.setText(R.string.no_result)
    advice.text = root.context.getString(
        when (screen.why) {
            Why.NO_PERMISSION -> R.string.no_permission
            Why.NO_CAMERA -> R.string.no_camera
            Why.BAD_PICTURE -> R.string.bad_picture
            Why.NO_NETWORK -> R.string.no_network
        },
        screen.told
    )
    for (part in listOf(doubt, probability, lacks, picture)) part.isVisible = false
    notice.setText(R.string.notice)
    showMap(null)
}

private fun ScreenResultBinding.showMap(heat: Heat?) {
    mapChoice.isVisible = heat != null
    mapLegend.isVisible = false
    map.setImageBitmap(heat?.let { Bitmap.createBitmap(it.colours, it.width, it.height, Bitmap.Config.ARGB_8888) })
    val grey = ColorMatrixColorFilter(ColorMatrix().apply { setSaturation(0f) })
    mapChoice.setOnCheckedChangeListener { _, on ->
        map.isVisible = on
        mapLegend.isVisible = on
        photograph.colorFilter = if (on) grey else null
    }
    mapChoice.isChecked = false
    map.isVisible = false
    photograph.colorFilter = null
}

/** Each in a line of its own, or [none] when there are none. */
fun Context.listed(texts: List<String>, @StringRes none: Int): String =
    if (texts.isEmpty()) getString(none) else texts.joinToString("\n") { "• $it" }
