//! pellucid-native-core
