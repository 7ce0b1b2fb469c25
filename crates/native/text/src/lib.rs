//! pellucid-native-text
