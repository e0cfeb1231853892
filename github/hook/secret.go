package hook

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/internal/flush"
)

// NewSecret makes a secret of random bytes: "datakit:" and 40 hexadecimal
// digits (GH-178).
func NewSecret() token.Secret {
	var b [20]byte
	rand.Read(b[:]) // never fails
	return token.NewSecret("datakit:" + hex.EncodeToString(b[:]))
}

// LoadSecret returns the secret in the file at path. Where there is no file it
// makes one, with the directories that lead there, that only its owner can
// read. Of several programs that do so at once all get the same secret.
func LoadSecret(path string) (token.Secret, error) {
	s, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	if err := storeSecret(path, NewSecret()); err != nil && !errors.Is(err, fs.ErrExist) {
		return token.Secret{}, fmt.Errorf("make the webhook secret: %w", err)
	}
	return readSecret(path)
}

func readSecret(path string) (token.Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return token.Secret{}, fmt.Errorf("read the webhook secret: %w", err)
	}
	s := github.Trim(string(text))
	if s == "" {
		return token.Secret{}, fmt.Errorf("read the webhook secret: %s is empty: remove the file to have a secret made", path)
	}
	return token.NewSecret(s), nil
}

// storeSecret writes the file as a whole or not at all. The error is
// fs.ErrExist if there is one.
func storeSecret(path string, s token.Secret) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".webhook-secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(s.Reveal() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return err
	} else if err != nil { // a file system without links
		if err := os.Rename(f.Name(), path); err != nil {
			return err
		}
	}
	return flush.Dir(dir)
}
