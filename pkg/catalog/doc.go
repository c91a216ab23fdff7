// Package catalog is what is known of accelerators and of models: data files with their sources,
// lookups by any of the names in use, and the reading of a model's config.json.
package catalog
