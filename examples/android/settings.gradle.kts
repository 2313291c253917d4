pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode.set(RepositoriesMode.FAIL_ON_PROJECT_REPOS)
    repositories {
        google()
        mavenCentral()
        // the folder that `melanoma-edge build --target android` wrote: see gradle.properties
        maven { url = rootDir.resolve(providers.gradleProperty("melanomaEdge.maven").get()).toURI() }
    }
}

rootProject.name = "lesion-check"
include(":app")
