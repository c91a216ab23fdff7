package hub

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// objectPath begins the addresses that LFS objects are sent to. On the Hub these are of S3, and like there they carry
// a signature instead of a token.
const objectPath = "/_lfs/"

// uploadTime is how long such an address is good for.
const uploadTime = time.Hour

var oidPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// object is an LFS object as git-lfs's API names it.
type object struct {
	OID  string `json:"oid"`
	Size int64  `json:"size"`
}

// object is where an LFS object lies. Each repository keeps its own, so that none learns of another's.
func (r repo) object(oid string) string { return filepath.Join(r.dir, "objects", oid) }

// holds says whether the repository has an object of that size; the error is fs.ErrNotExist when not.
func (r repo) holds(oid string, size int64) error {
	info, err := os.Stat(r.object(oid))
	if err == nil && info.Size() != size {
		err = fmt.Errorf("object %s has %d bytes, not %d: %w", oid, info.Size(), size, fs.ErrNotExist)
	}
	return err
}

// batch says of each object where to send it, or that it is here already.
func (s *server) batch(w http.ResponseWriter, r *http.Request) {
	found, err := s.writable(r)
	var request struct {
		Operation string   `json:"operation"`
		Objects   []object `json:"objects"`
	}
	if err == nil {
		err = readJSON(w, r, &request)
	}
	if err == nil && request.Operation != "upload" {
		err = badRequest("this Hub's LFS takes uploads only: download through /resolve/")
	}
	if err != nil {
		refuse(w, err)
		return
	}
	objects := []map[string]any{}
	for _, o := range request.Objects {
		answer := map[string]any{"oid": o.OID, "size": o.Size, "authenticated": true}
		switch {
		case !oidPattern.MatchString(o.OID) || o.Size < 1 || o.Size > maxObject:
			answer["error"] = map[string]any{"code": http.StatusUnprocessableEntity, "message": fmt.Sprintf("not the sha256 of 1 to %d bytes", int64(maxObject))}
		case found.holds(o.OID, o.Size) != nil:
			answer["actions"] = map[string]any{
				"upload": map[string]any{"href": address(r) + s.sign(found, o, time.Now().Add(uploadTime))},
				"verify": map[string]any{"href": address(r) + strings.TrimSuffix(r.URL.Path, "batch") + "verify"},
			}
		}
		objects = append(objects, answer)
	}
	writeJSON(w, map[string]any{"transfer": "basic", "objects": objects})
}

// sign makes the address to send an object to.
func (s *server) sign(r repo, o object, expires time.Time) string {
	path := objectPath + r.Kind + "/" + r.ID + "/" + o.OID
	query := url.Values{"size": {strconv.FormatInt(o.Size, 10)}, "expires": {strconv.FormatInt(expires.Unix(), 10)}}
	sum := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(sum, "%s?%s", path, query.Encode())
	query.Set("signature", fmt.Sprintf("%x", sum.Sum(nil)))
	return path + "?" + query.Encode()
}

// putObject takes the bytes of an object at a signed address.
func (s *server) putObject(w http.ResponseWriter, r *http.Request) {
	oid := r.PathValue("oid")
	size, sizeErr := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
	expires, timeErr := strconv.ParseInt(r.URL.Query().Get("expires"), 10, 64)
	found, err := s.store.repo(r.PathValue("kind"), r.PathValue("org"), r.PathValue("name"))
	if err == nil {
		err = errors.Join(sizeErr, timeErr)
	}
	if err != nil || !found.uploaded {
		refuse(w, forbidden("AccessDenied: this is no address that an LFS batch has given"))
		return
	}
	right := s.sign(found, object{oid, size}, time.Unix(expires, 0))
	switch {
	case !hmac.Equal([]byte(right), []byte(r.URL.Path+"?"+r.URL.RawQuery)):
		err = forbidden("AccessDenied: the signature does not match")
	case time.Now().Unix() > expires:
		err = forbidden("AccessDenied: Request has expired")
	default:
		err = found.keep(object{oid, size}, r.Body)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("ETag", `"`+oid+`"`)
}

// keep stores an object when it is what its name says.
func (r repo) keep(o object, body io.Reader) error {
	dir := filepath.Dir(r.object(o.OID))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "partial-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, sum), io.LimitReader(body, o.Size+1))
	if closed := file.Close(); err == nil {
		err = closed
	}
	switch got := fmt.Sprintf("%x", sum.Sum(nil)); {
	case err != nil:
		return fmt.Errorf("take object %s: %w", o.OID, err)
	case n != o.Size:
		return badRequest("IncompleteBody: %d bytes or more came, not %d", n, o.Size)
	case got != o.OID:
		return badRequest("BadDigest: the bytes have the sha256 %s, not %s", got, o.OID)
	}
	return os.Rename(file.Name(), r.object(o.OID))
}

// verify is asked after an upload whether the object has arrived.
func (s *server) verify(w http.ResponseWriter, r *http.Request) {
	var asked object
	found, err := s.writable(r)
	if err == nil {
		err = readJSON(w, r, &asked)
	}
	if err == nil && (!oidPattern.MatchString(asked.OID) || found.holds(asked.OID, asked.Size) != nil) {
		err = refusal{http.StatusNotFound, "", "object " + asked.OID + " is not here in that size"}
	}
	if err != nil {
		refuse(w, err)
		return
	}
	writeJSON(w, map[string]any{"success": true})
}
