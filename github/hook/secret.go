package hook

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
	"github.com/datakit/datakit/internal/flush"
)

// maxSecretFile is how much of the file of a secret is read, in bytes.
const maxSecretFile = 64 << 10

// NewSecret makes a secret of random bytes: "datakit:" and 40 hexadecimal
// digits (GH-178).
func NewSecret() token.Secret {
	var b [20]byte
	rand.Read(b[:]) // never fails
	return token.NewSecret("datakit:" + hex.EncodeToString(b[:]))
}

// LoadSecret returns the secret in the file at path. Where there is no file it
// makes one, with the directories that lead there, that only its owner can
// read. From one that others may access it takes their permissions, and fails
// if it cannot (as GH-198 has it for the token). Of several programs that do so at once all get the same secret.
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
	const op = "read the webhook secret"
	f, err := os.Open(path)
	if err != nil {
		return token.Secret{}, fmt.Errorf("%s: %w", op, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile))
	if err != nil {
		return token.Secret{}, fmt.Errorf("%s: %w", op, err)
	}
	if err := token.Protect(op, f); err != nil {
		return token.Secret{}, err
	}
	s := github.Trim(string(text))
	if s == "" {
		return token.Secret{}, fmt.Errorf("%s: %s is empty: remove the file to have a secret made", op, path)
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
