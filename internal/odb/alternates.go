package odb

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxAlternates is how deep alternates of alternates are followed, as in git.
const maxAlternates = 5

// objectDirs returns an objects directory and its alternates, each once.
func objectDirs(objects string) ([]string, error) {
	var dirs []string
	seen := make(map[string]bool)
	var visit func(dir string, depth int) error
	visit = func(dir string, depth int) error {
		real, err := filepath.EvalSymlinks(dir)
		if depth > 0 && (errors.Is(err, fs.ErrNotExist) || depth > maxAlternates) {
			return nil // git warns and goes on
		}
		if err != nil || seen[real] {
			return err
		}
		seen[real] = true
		dirs = append(dirs, dir)
		next, err := alternates(dir)
		for _, alt := range next {
			if err == nil {
				err = visit(alt, depth+1)
			}
		}
		return err
	}
	return dirs, visit(objects, 0)
}

// alternates reads objects/info/alternates (gitrepository-layout(5)): a
// directory a line, relative to the objects directory, possibly quoted; lines
// with a number sign are comments.
func alternates(objects string) (dirs []string, err error) {
	text, err := os.ReadFile(filepath.Join(objects, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '"' {
			if s, err := strconv.Unquote(line); err == nil {
				line = s
			}
		}
		if !filepath.IsAbs(line) {
			line = filepath.Join(objects, line)
		}
		dirs = append(dirs, line)
	}
	return dirs, err
}
