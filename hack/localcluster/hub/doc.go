// Package hub is a local stand-in for the Hugging Face Hub: it answers what huggingface_hub asks
// when it downloads a model, from a directory, and plays slow and broken downloads on request.
//
// Layout of the root:
//
//	access.json                      tokens, and which gated or private repositories each may read
//	models/ORG/NAME/repo.json        gated, private
//	models/ORG/NAME/refs/main        the commit that a branch points to
//	models/ORG/NAME/COMMIT/...       the files of one revision; COMMIT has 40 hex digits
//
// Uploads, Xet and datasets are not there: a client falls back to plain HTTP downloads.
package hub
