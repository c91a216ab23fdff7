// Package hub is a local stand-in for the Hugging Face Hub: it answers what huggingface_hub asks when it downloads
// models and datasets and uploads to repositories of its own, and plays slow and broken transfers on request. In the same
// process it serves a Python package index.
//
// Layout of the root, which is never written to:
//
//	access.json                      tokens: what each may read beyond public repositories, and where it may write
//	models/ORG/NAME/repo.json        gated, private
//	models/ORG/NAME/refs/main        the commit that a branch points to
//	models/ORG/NAME/COMMIT/...       the files of one revision; COMMIT has 40 hex digits
//	datasets/ORG/NAME/...            likewise
//
// What clients upload lies in another directory in the same layout, with the LFS objects of each repository in
// its objects/SHA256. The package index is a directory of wheels and sdists with a SHA256SUMS: see packages.go.
//
// A client can tell it from the Hub by these:
//
//   - Files come with 200 from the same address. The Hub answers 302 (LFS) or 307 to another host, which a client
//     follows without its token.
//   - Xet is not there. Downloads fall back to plain HTTP. huggingface_hub 2.4.0 uploads LFS files by Xet and nothing else
//     unless HF_HUB_DISABLE_XET=1 is set: without it an upload ends with an address that says so.
//   - LFS uploads are single PUTs to a signed address of this server; the Hub sends to S3, and large files in parts.
//   - Repositories of the root cannot be changed (403), nor made (409). Ids of commits are random: the same upload twice gives
//     two. Messages of commits are not kept.
//   - Spaces, pull requests, tags, making branches, copying files and listing commits are not there; nor the security scan
//     and "expand". A tree is one page, where the Hub gives 1000 entries and a Link to the next; a directory's oid
//     is the commit's.
//   - A model's "config", "cardData", "tags", "safetensors" and the like are missing or empty.
//   - What is LFS is decided by size and name, not by the repository's .gitattributes; .gitignore is not read. Branches are
//     the only names of commits: no tags, no refs/pr/1, no shortened ids.
//   - Of a card's metadata YAML, licence, language, tags, base model, datasets and model-index are checked.
//   - A token may write everywhere in the namespaces of access.json or nowhere, and no token is limited to one
//     repository; no rate limits but the faults'.
//   - Faults are listed, added and cleared by GET, POST and DELETE of /_faults (see Fault), from the Hub's own machine only.
//     They strike GET of files and the steps of an upload, never HEAD or the rest of the API.
package hub
