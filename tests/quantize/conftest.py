"""Property tests here run numerical code whose time depends on the machine: no deadline per example."""

import hypothesis

hypothesis.settings.register_profile("no-deadline", deadline=None)
hypothesis.settings.load_profile("no-deadline")
