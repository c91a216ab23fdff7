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
// A client can tell it from the Hub by these:
//
//   - Files come with 200 from the same address. The Hub answers 302 (LFS) or 307 to another host, which a client
//     follows without its token.
//   - Uploads, datasets, spaces and Xet are not there: a client falls back to plain HTTP downloads.
//   - POST .../paths-info, tree/REVISION/FOLDER, the security scan and "expand" are not there; a tree is one page,
//     where the Hub gives 1000 entries and a Link to the next; a directory's oid is the commit's.
//   - A model's "config", "cardData", "tags", "safetensors" and the like are missing or empty.
//   - What is LFS is decided by size and name, not by the repository's .gitattributes. Branches are the only names
//     of commits: no tags, no refs/pr/1, no shortened ids.
//   - There is one kind of token, which may read what access.json says; no rate limits but the faults'.
//   - Faults strike downloads only (GET of .../resolve/...), never HEAD or the API. They are listed, added and
//     cleared by GET, POST and DELETE of /_faults (see Fault), from the Hub's own machine only.
package hub
