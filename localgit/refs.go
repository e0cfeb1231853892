package localgit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	headsPrefix = "refs/heads/"
	tagsPrefix  = "refs/tags/"

	maxRefFile  = 8192 // the longest name of a target is shorter
	maxSymbolic = 5    // references that lead to one another, as in Git
)

// A rawRef is what a repository says of one reference.
type rawRef struct {
	hash   string // "" if it cannot be understood
	peeled string // the commit that packed-refs says an annotated tag leads to, or ""
}

// readRefs reads the references with one of the prefixes, by their whole names
// (gitrepository-layout(5)). It calls visit with each directory before it is
// read. Loose references are read before packed ones: one that is packed
// meanwhile is found in one place at least.
func readRefs(dir string, prefixes []string, visit func(dir string)) (map[string]rawRef, error) {
	refs := map[string]rawRef{}
	visit(dir)
	visit(filepath.Join(dir, "refs"))
	for _, prefix := range prefixes {
		if err := readLoose(dir, strings.TrimSuffix(prefix, "/"), refs, visit); err != nil {
			return nil, err
		}
	}
	packed, err := readPacked(filepath.Join(dir, "packed-refs"))
	if err != nil {
		return nil, err
	}
	for name, ref := range packed {
		if _, loose := refs[name]; !loose && hasPrefix(name, prefixes) {
			refs[name] = ref
		}
	}
	for name, ref := range refs {
		if ref, ok := resolve(dir, ref, refs, packed); ok {
			refs[name] = ref
		} else {
			delete(refs, name)
		}
	}
	return refs, nil
}

func hasPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// readLoose adds the loose references below the directory called name. A
// symbolic one has "ref: " and its target for a hash.
func readLoose(dir, name string, refs map[string]rawRef, visit func(string)) error {
	at := filepath.Join(dir, filepath.FromSlash(name))
	visit(at)
	entries, err := os.ReadDir(at)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		sub := path.Join(name, e.Name())
		switch {
		case strings.HasSuffix(sub, ".lock"):
		case e.IsDir():
			err = readLoose(dir, sub, refs, visit)
		default:
			var text string
			text, err = readRefFile(filepath.Join(at, e.Name()))
			if err == nil {
				refs[sub] = rawRef{hash: text}
			} else if absent(err) {
				err = nil // it was packed, deleted or replaced just now
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readRefFile returns the text of the file of a reference, trimmed.
func readRefFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRefFile))
	return strings.TrimSpace(string(text)), err
}

// readPacked reads a file packed-refs. One that is not there is empty.
func readPacked(file string) (map[string]rawRef, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	refs := map[string]rawRef{}
	last := ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		if peeled, ok := strings.CutPrefix(line, "^"); ok {
			refs[last] = rawRef{refs[last].hash, peeled}
			continue
		}
		hash, name, ok := strings.Cut(line, " ")
		if !ok || !isHash(hash) {
			return nil, fmt.Errorf("%s: unexpected line %.100q", file, line)
		}
		refs[name], last = rawRef{hash: hash}, name
	}
	return refs, lines.Err()
}

// resolve follows a symbolic reference. ok is false if it leads to none that
// exists, as that of a branch without commits. What does not lead to a hash has
// none.
func resolve(dir string, ref rawRef, refs, packed map[string]rawRef) (found rawRef, ok bool) {
	for range maxSymbolic {
		target, symbolic := strings.CutPrefix(ref.hash, "ref:")
		if !symbolic {
			if !isHash(ref.hash) {
				return rawRef{}, true
			}
			return ref, true
		}
		target = strings.TrimSpace(target)
		if ref, ok = refs[target]; ok {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(target)) {
			return rawRef{}, true
		}
		text, err := readRefFile(filepath.Join(dir, filepath.FromSlash(target)))
		if absent(err) {
			if ref, ok = packed[target]; ok {
				continue
			}
		}
		if err != nil {
			return rawRef{}, !absent(err)
		}
		ref = rawRef{hash: text}
	}
	return rawRef{}, true
}

// absent reports whether an error says that there is no such file, or no such
// directory: another of a like name may be in the way.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR)
}

// isHash reports whether text is the name of an object, in SHA-1 or SHA-256.
func isHash(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}
