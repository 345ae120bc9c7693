package config

import _ "embed"

//go:embed example.yaml
var example string

// Example is a configuration with every key and its meaning, to start from.
func Example() string { return example }
