value = "plain"
