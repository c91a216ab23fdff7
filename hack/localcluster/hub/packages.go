package hub

import (
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sumsFile lists the files of the package index as sha256sum writes and checks them.
const sumsFile = "SHA256SUMS"

// pack is one file of the package index.
type pack struct{ name, file, sha256 string }

var separators = regexp.MustCompile(`[-_.]+`)

// normalize is PEP 503's one spelling of a package's name.
func normalize(name string) string { return strings.ToLower(separators.ReplaceAllString(name, "-")) }

// packageOf is the name in the name of a wheel or of an sdist.
func packageOf(file string) string {
	if name, ok := strings.CutSuffix(file, ".tar.gz"); ok {
		return normalize(name[:max(0, strings.LastIndex(name, "-"))])
	}
	name, _, _ := strings.Cut(file, "-")
	return normalize(name)
}

// packs reads the list each time: the files may come after the start.
func (s *server) packs() ([]pack, error) {
	data, err := os.ReadFile(filepath.Join(s.packages, sumsFile))
	if s.packages == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []pack
	for line := range strings.Lines(string(data)) {
		if sum, file, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			all = append(all, pack{packageOf(file), file, sum})
		}
	}
	return all, err
}

// packageNames is the index's front page (PEP 503).
func (s *server) packageNames(w http.ResponseWriter, _ *http.Request) {
	all, err := s.packs()
	if err != nil {
		refuse(w, err)
		return
	}
	var names []string
	for _, p := range all {
		names = append(names, p.name)
	}
	slices.Sort(names)
	var links []string
	for _, name := range slices.Compact(names) {
		links = append(links, fmt.Sprintf(`<a href="%s/">%s</a><br>`, name, name))
	}
	page(w, "Simple index", links)
}

// packageFiles lists the files of one package (PEP 503).
func (s *server) packageFiles(w http.ResponseWriter, r *http.Request) {
	name := normalize(r.PathValue("name"))
	if r.URL.Path != "/simple/"+name+"/" {
		http.Redirect(w, r, "/simple/"+name+"/", http.StatusMovedPermanently)
		return
	}
	all, err := s.packs()
	if err != nil {
		refuse(w, err)
		return
	}
	var links []string
	for _, p := range all {
		if p.name == name {
			file := html.EscapeString(p.file)
			links = append(links, fmt.Sprintf(`<a href="../../packages/%s#sha256=%s">%s</a><br>`, file, p.sha256, file))
		}
	}
	if len(links) == 0 {
		fail(w, http.StatusNotFound, "", "this index has no package "+name)
		return
	}
	page(w, "Links for "+name, links)
}

func page(w http.ResponseWriter, title string, links []string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.0\"><title>%s</title></head>\n<body>\n%s\n</body></html>\n", title, strings.Join(links, "\n"))
}

// packageFile sends a file that the index lists, and no other.
func (s *server) packageFile(w http.ResponseWriter, r *http.Request) {
	all, err := s.packs()
	if err != nil {
		refuse(w, err)
		return
	}
	name := r.PathValue("file")
	if !slices.ContainsFunc(all, func(p pack) bool { return p.file == name }) {
		fail(w, http.StatusNotFound, "", "this index has no file "+name)
		return
	}
	out, ok := s.faultyDownload(w, r, "packages", name)
	if !ok {
		return
	}
	in, err := os.Open(filepath.Join(s.packages, name))
	if err != nil {
		refuse(w, err)
		return
	}
	defer in.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(out, r, "", time.Time{}, in)
}
