//! What `sys` says of the language, the machine and the numbers.

use super::config::{Flags, Startup};
use pellucid_object::{Dict, Interpreter, Ref, Res, Value};
use pellucid_types::structseq::{StructSeqDef, new_structseq, singleton};

/// The version of the language.
pub const VERSION: (i64, i64, i64) = (3, 14, 6);
/// `sys.hexversion`: a final release.
pub const HEXVERSION: i64 = VERSION.0 << 24 | VERSION.1 << 16 | VERSION.2 << 8 | 0xf0;
/// The name in `__pycache__` files.
pub const CACHE_TAG: &str = "pellucid-314";

/// `sys.version`.
pub fn version() -> String {
    let (major, minor, micro) = VERSION;
    format!("{major}.{minor}.{micro} (Pellucid {}) [Rust]", env!("CARGO_PKG_VERSION"))
}

static VERSION_INFO: StructSeqDef = StructSeqDef {
    ty: singleton("version_info", "sys", "sys.version_info\n\nVersion information as a named tuple."),
    fields: &[
        ("major", "Major release number"),
        ("minor", "Minor release number"),
        ("micro", "Patch release number"),
        ("releaselevel", "'alpha', 'beta', 'candidate', or 'final'"),
        ("serial", "Serial release number"),
    ],
    visible: 5,
};

pub fn version_info(vm: &Interpreter) -> Res {
    let (major, minor, micro) = VERSION;
    let int = |i| vm.new_int(i);
    let values = vec![int(major)?, int(minor)?, int(micro)?, vm.new_str("final")?, int(0)?];
    new_structseq(vm, &VERSION_INFO, values)
}

static FLAGS: StructSeqDef = StructSeqDef {
    ty: singleton(
        "flags",
        "sys",
        "sys.flags\n\nFlags provided through command line arguments or environment vars.",
    ),
    fields: &[
        ("debug", "-d"),
        ("inspect", "-i"),
        ("interactive", "-i"),
        ("optimize", "-O or -OO"),
        ("dont_write_bytecode", "-B"),
        ("no_user_site", "-s"),
        ("no_site", "-S"),
        ("ignore_environment", "-E"),
        ("verbose", "-v"),
        ("bytes_warning", "-b"),
        ("quiet", "-q"),
        ("hash_randomization", "-R"),
        ("isolated", "-I"),
        ("dev_mode", "-X dev"),
        ("utf8_mode", "-X utf8"),
        ("warn_default_encoding", "-X warn_default_encoding"),
        ("safe_path", "-P"),
        ("int_max_str_digits", "-X int_max_str_digits"),
        ("gil", "-X gil"),
        ("thread_inherit_context", "-X thread_inherit_context"),
        ("context_aware_warnings", "-X context_aware_warnings"),
    ],
    visible: 18,
};

pub fn flags(vm: &Interpreter, f: &Flags) -> Res {
    let int = |i| vm.new_int(i);
    let values = vec![
        int(f.debug)?,
        int(f.inspect)?,
        int(f.interactive)?,
        int(f.optimize)?,
        int(f.dont_write_bytecode)?,
        int(f.no_user_site)?,
        int(f.no_site)?,
        int(f.ignore_environment)?,
        int(f.verbose)?,
        int(f.bytes_warning)?,
        int(f.quiet)?,
        int(f.hash_randomization)?,
        int(f.isolated)?,
        Value::bool(f.dev_mode),
        int(f.utf8_mode)?,
        int(f.warn_default_encoding)?,
        Value::bool(f.safe_path),
        int(f.int_max_str_digits)?,
        int(1)?,
        int(f.thread_inherit_context)?,
        int(f.context_aware_warnings)?,
    ];
    new_structseq(vm, &FLAGS, values)
}

static FLOAT_INFO: StructSeqDef = StructSeqDef {
    ty: singleton("float_info", "sys", "sys.float_info\n\nLimits and precision of floats."),
    fields: &[
        ("max", "maximum representable finite float"),
        ("max_exp", "maximum int e such that radix**(e-1) is representable"),
        ("max_10_exp", "maximum int e such that 10**e is representable"),
        ("min", "Minimum positive normalized float"),
        ("min_exp", "minimum int e such that radix**(e-1) is a normalized float"),
        ("min_10_exp", "minimum int e such that 10**e is a normalized float"),
        ("dig", "maximum number of decimal digits that can be faithfully represented in a float"),
        ("mant_dig", "mantissa digits"),
        ("epsilon", "Difference between 1 and the next representable float"),
        ("radix", "radix of exponent"),
        ("rounds", "rounding mode used for arithmetic operations"),
    ],
    visible: 11,
};

pub fn float_info(vm: &Interpreter) -> Res {
    let int = |i: i32| vm.new_int(i64::from(i));
    let float = |f| vm.new_float(f);
    let values = vec![
        float(f64::MAX)?,
        int(f64::MAX_EXP)?,
        int(f64::MAX_10_EXP)?,
        float(f64::MIN_POSITIVE)?,
        int(f64::MIN_EXP)?,
        int(f64::MIN_10_EXP)?,
        int(f64::DIGITS as i32)?,
        int(f64::MANTISSA_DIGITS as i32)?,
        float(f64::EPSILON)?,
        int(f64::RADIX as i32)?,
        int(1)?,
    ];
    new_structseq(vm, &FLOAT_INFO, values)
}

static INT_INFO: StructSeqDef = StructSeqDef {
    ty: singleton("int_info", "sys", "sys.int_info\n\nThe inner representation of ints."),
    fields: &[
        ("bits_per_digit", "size of a digit in bits"),
        ("sizeof_digit", "size in bytes of the type used to represent a digit"),
        ("default_max_str_digits", "maximum string conversion digits limitation"),
        ("str_digits_check_threshold", "minimum positive value for int_max_str_digits"),
    ],
    visible: 4,
};

/// Least limit that `sys.set_int_max_str_digits` accepts.
pub const STR_DIGITS_THRESHOLD: i64 = 640;

pub fn int_info(vm: &Interpreter) -> Res {
    let values: Res<Vec<Value>> =
        [30, 4, 4300, STR_DIGITS_THRESHOLD].into_iter().map(|i| vm.new_int(i)).collect();
    new_structseq(vm, &INT_INFO, values?)
}

static HASH_INFO: StructSeqDef = StructSeqDef {
    ty: singleton("hash_info", "sys", "sys.hash_info\n\nParameters of the hashes of numbers and strings."),
    fields: &[
        ("width", "width of the type used for hashing, in bits"),
        ("modulus", "prime number giving the modulus on which the hash function is based"),
        ("inf", "value to be used for hash of a positive infinity"),
        ("nan", "value to be used for hash of a nan"),
        ("imag", "multiplier used for the imaginary part of a complex number"),
        ("algorithm", "name of the algorithm for hashing of str, bytes and memoryviews"),
        ("hash_bits", "internal output size of hash algorithm"),
        ("seed_bits", "seed size of hash algorithm"),
        ("cutoff", "small string optimization cutoff"),
    ],
    visible: 9,
};

pub fn hash_info(vm: &Interpreter) -> Res {
    let int = |i| vm.new_int(i);
    let values = vec![
        int(64)?,
        int((1 << 61) - 1)?,
        int(314_159)?,
        int(0)?,
        int(1_000_003)?,
        vm.new_str("siphash13")?,
        int(64)?,
        int(128)?,
        int(0)?,
    ];
    new_structseq(vm, &HASH_INFO, values)
}

static THREAD_INFO: StructSeqDef = StructSeqDef {
    ty: singleton("thread_info", "sys", "sys.thread_info\n\nHow threads are made."),
    fields: &[
        ("name", "name of the thread implementation"),
        ("lock", "name of the lock implementation"),
        ("version", "name and version of the thread library"),
    ],
    visible: 3,
};

pub fn thread_info(vm: &Interpreter) -> Res {
    new_structseq(vm, &THREAD_INFO, vec![vm.new_str("pthread")?, vm.new_str("mutex+cond")?, Value::NONE])
}

/// `sys.implementation`: a `types.SimpleNamespace`, or whatever `namespace` makes of a dict.
pub fn implementation_fields(vm: &Interpreter) -> Res<Ref<Dict>> {
    let dict = vm.new_dict()?;
    for (name, value) in [
        ("name", vm.new_str("pellucid")?),
        ("cache_tag", vm.new_str(CACHE_TAG)?),
        ("version", version_info(vm)?),
        ("hexversion", vm.new_int(HEXVERSION)?),
        ("_multiarch", vm.new_str(&format!("{}-linux-gnu", std::env::consts::ARCH))?),
        ("supports_isolated_interpreters", Value::TRUE),
    ] {
        dict.set(vm, vm.intern(name)?, value)?;
    }
    Ok(dict)
}

/// What the start-up configuration says of paths, arguments and options.
pub fn startup_attributes(vm: &Interpreter) -> Res<Vec<(&'static str, Value)>> {
    let config = vm.state::<Startup>().get();
    let decoded = |list: &[Vec<u8>]| -> Res {
        let values: Res<Vec<Value>> = list.iter().map(|bytes| vm.fs_decode(bytes)).collect();
        vm.new_list(values?)
    };
    let optional = |bytes: &Option<Vec<u8>>| match bytes {
        Some(bytes) => vm.fs_decode(bytes),
        None => Ok(Value::NONE),
    };
    let warnoptions: Res<Vec<Value>> = config.warnoptions.iter().map(|text| vm.new_str(text)).collect();
    let xoptions = vm.new_dict()?;
    for (name, value) in &config.xoptions {
        let value = match value {
            Some(text) => vm.new_str(text)?,
            None => Value::TRUE,
        };
        xoptions.set(vm, vm.new_str(name)?, value)?;
    }
    Ok(vec![
        ("argv", decoded(&config.argv)?),
        ("orig_argv", decoded(&config.orig_argv)?),
        ("path", decoded(&config.path)?),
        ("executable", vm.fs_decode(&config.executable)?),
        ("_base_executable", vm.fs_decode(&config.base_executable)?),
        ("prefix", vm.fs_decode(&config.prefix)?),
        ("exec_prefix", vm.fs_decode(&config.prefix)?),
        ("base_prefix", vm.fs_decode(&config.base_prefix)?),
        ("base_exec_prefix", vm.fs_decode(&config.base_prefix)?),
        ("_stdlib_dir", optional(&config.stdlib_dir)?),
        ("pycache_prefix", optional(&config.pycache_prefix)?),
        ("dont_write_bytecode", Value::bool(config.flags.dont_write_bytecode != 0)),
        ("warnoptions", vm.new_list(warnoptions?)?),
        ("_xoptions", xoptions.into_value()),
        ("flags", flags(vm, &config.flags)?),
    ])
}
