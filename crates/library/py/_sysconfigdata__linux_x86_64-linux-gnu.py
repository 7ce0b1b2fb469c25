"""What `sysconfig` asks a build for. Pellucid is one binary: there is no C compiler's command line to tell of."""

build_time_vars = {
    "ABIFLAGS": "",
    "AR": "",
    "CC": "",
    "CFLAGS": "",
    "CONFIG_ARGS": "",
    "EXE": "",
    "EXT_SUFFIX": "",
    "HAVE_FORK": 1,
    "LDFLAGS": "",
    "MULTIARCH": "x86_64-linux-gnu",
    "Py_DEBUG": 0,
    "Py_ENABLE_SHARED": 0,
    "Py_GIL_DISABLED": 0,
    "SIZEOF_VOID_P": 8,
    "SOABI": "pellucid-314",
    "WITH_DOC_STRINGS": 1,
}
