"""The build of the front-end files: own sources and what npm brings become gateway/web/built. Stands on the standard library only,
since the build hook of the wheel (hatch_build.py) runs it before anything is installed."""
