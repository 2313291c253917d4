package melanoma.edge.sample

import android.content.Context
import android.util.AttributeSet
import android.widget.FrameLayout
import kotlin.math.min

/** As wide as there is room and as high as wide, but never so high that nothing else fits on the screen. */
class SquareLayout(context: Context, attributes: AttributeSet?) : FrameLayout(context, attributes) {
    override fun onMeasure(width: Int, height: Int) {
        val room = min(MeasureSpec.getSize(width), resources.displayMetrics.heightPixels * 3 / 5)
        val side = MeasureSpec.makeMeasureSpec(room, MeasureSpec.EXACTLY)
        super.onMeasure(side, side)
    }
}
