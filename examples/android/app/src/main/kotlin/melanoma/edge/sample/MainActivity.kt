package melanoma.edge.sample

import android.Manifest.permission.CAMERA
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.os.Bundle
import androidx.activity.OnBackPressedCallback
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.activity.viewModels
import androidx.appcompat.app.AppCompatActivity
import androidx.core.content.ContextCompat
import androidx.core.view.isVisible
import melanoma.edge.sample.databinding.ActivityMainBinding

private const val LOOK_EVERY = 700L // milliseconds

/** Instructions, camera, result: one at a time. What they show is the model's affair. */
class MainActivity : AppCompatActivity() {
    private val model: LesionModel by viewModels()
    private lateinit var views: ActivityMainBinding
    private lateinit var camera: Camera
    private lateinit var back: OnBackPressedCallback

    private val permission = registerForActivityResult(RequestPermission()) { granted ->
        model.go(if (granted) Screen.Camera else Screen.Sorry(Why.NO_PERMISSION))
    }
    private val picker = registerForActivityResult(PickVisualMedia()) { chosen -> chosen?.let(model::open) }
    private val look = object : Runnable {
        override fun run() {
            camera.look()?.let(model::watch)
            views.root.postDelayed(this, LOOK_EVERY)
        }
    }

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        views = ActivityMainBinding.inflate(layoutInflater)
        setContentView(views.root)
        camera = Camera(this, views.camera.preview)
        back = object : OnBackPressedCallback(false) {
            override fun handleOnBackPressed() = model.go(Screen.Instructions)
        }
        onBackPressedDispatcher.addCallback(this, back)
        listen()
        model.screen.observe(this, ::show)
        model.lacks.observe(this) { views.camera.lacks.text = it?.let { listed(it, R.string.fit_view) }.orEmpty() }
        model.tested.observe(this) { passed ->
            views.instructions.tested.setText(if (passed) R.string.test_passed else R.string.test_failed)
        }
    }

    override fun onResume() {
        super.onResume()
        views.root.postDelayed(look, LOOK_EVERY)
    }

    override fun onPause() {
        views.root.removeCallbacks(look)
        super.onPause()
    }

    private fun listen() {
        views.instructions.photograph.setOnClickListener { photograph() }
        views.instructions.choose.setOnClickListener { choose() }
        views.instructions.test.setOnClickListener {
            views.instructions.tested.setText(R.string.testing)
            model.selfTest()
        }
        views.camera.take.setOnClickListener {
            it.isEnabled = false
            camera.take(model::judge) { model.go(Screen.Sorry(Why.NO_CAMERA)) }
        }
        views.result.again.setOnClickListener { photograph() }
        views.result.choose.setOnClickListener { choose() }
    }

    private fun photograph() {
        val allowed = ContextCompat.checkSelfPermission(this, CAMERA) == PERMISSION_GRANTED
        if (allowed) model.go(Screen.Camera) else permission.launch(CAMERA)
    }

    private fun choose() = picker.launch(PickVisualMediaRequest(PickVisualMedia.ImageOnly))

    private fun show(screen: Screen) {
        views.instructions.root.isVisible = screen is Screen.Instructions
        views.camera.root.isVisible = screen is Screen.Camera
        views.working.isVisible = screen is Screen.Working
        views.result.root.isVisible = screen is Screen.Result || screen is Screen.Sorry
        back.isEnabled = screen !is Screen.Instructions
        if (screen is Screen.Camera) {
            views.camera.take.isEnabled = true
            camera.open { model.go(Screen.Sorry(Why.NO_CAMERA)) }
        } else {
            camera.close()
        }
        when (screen) {
            is Screen.Result -> views.result.show(screen)
            is Screen.Sorry -> views.result.show(screen)
            else -> Unit
        }
    }
}
