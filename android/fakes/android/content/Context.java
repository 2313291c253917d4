package android.content;

import android.content.res.AssetManager;
import java.io.File;

/** As much of Android's class as the package uses, with a folder for its assets. */
public class Context {
    private final File assets;

    public Context(File assets) {
        this.assets = assets;
    }

    public AssetManager getAssets() {
        return new AssetManager(assets);
    }
}
