//! pellucid-native-data
