package token

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/datakit/datakit"
)

// Cookie is the name of the file of the token, in the folders where it is
// looked for.
const Cookie = "datakit-github-cookie"

// SecretsDir is where container platforms put secrets.
const SecretsDir = "/run/secrets"

// maxFile is the size that the file of a token may have, in bytes.
const maxFile = 64 << 10

// variables are the names that are looked for in the environment, in order.
var variables = []string{"DATAKIT_GITHUB_TOKEN", "GITHUB_TOKEN"}

// A Search says where a token may be (GH-196). The zero value searches the
// usual places.
type Search struct {
	File    string                   // named by the user; "" for none
	Getenv  func(name string) string // nil means os.Getenv
	Secrets string                   // "" means SecretsDir
	APIURL  string                   // of GitHub, to tell where tokens are made; "" means github.com's

	chmod func(f *os.File, mode fs.FileMode) error // in tests; nil means f.Chmod
}

// Find returns the token from the first place that exists: the file that the
// user named, the environment variables DATAKIT_GITHUB_TOKEN and GITHUB_TOKEN,
// the file datakit-github-cookie in $HOME/.github/jar, and the one in Secrets.
// source names that place. A place that exists but holds no token is an error;
// so is a file that others may access, if that cannot be changed (GH-198). The
// error is NotExist if there is no place, and says where it was looked for and
// how to make a token (GH-199). Nothing is created.
func (s Search) Find() (t Secret, source string, err error) {
	if s.File != "" {
		if t, err = s.read(s.File); !errors.Is(err, fs.ErrNotExist) {
			return t, s.File, err
		}
	}
	getenv := s.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	for _, name := range variables {
		if value := getenv(name); value != "" {
			t, err = parse([]byte(value))
			return t, "$" + name, wrap("$"+name, err)
		}
	}
	for _, file := range s.files(getenv("HOME")) {
		if t, err = s.read(file); !errors.Is(err, fs.ErrNotExist) {
			return t, file, err
		}
	}
	return Secret{}, "", s.none(getenv("HOME"))
}

// files returns the files that are looked at after the environment.
func (s Search) files(home string) []string {
	var list []string
	if home != "" {
		list = append(list, filepath.Join(home, ".github", "jar", Cookie))
	}
	return append(list, filepath.Join(cmp.Or(s.Secrets, SecretsDir), Cookie))
}

// none is the error when there is no token at all, in one line.
func (s Search) none(home string) error {
	places := s.files(home)
	if s.File != "" {
		places = append([]string{s.File}, places...)
	}
	return &datakit.Error{Op: "find the token for GitHub", Kind: datakit.NotExist, Err: fmt.Errorf(
		"there is none in $%s, nor in %s; %s", strings.Join(variables, " or $"), strings.Join(places, " or "), HowTo(s.APIURL))}
}

// HowTo says in one sentence how to make a token for GitHub with that API, ""
// for github.com's, and where to put it.
func HowTo(apiURL string) string {
	web := "https://github.com"
	if u, err := url.Parse(apiURL); err == nil && u.Host != "" && u.Host != "api.github.com" {
		web = u.Scheme + "://" + strings.TrimPrefix(u.Host, "api.")
	}
	return "make one at " + web + "/settings/tokens with the scope repo, and admin:repo_hook for webhooks, " +
		"and put it into $HOME/.github/jar/" + Cookie + " (mode 0600), into $" + variables[0] + ", or into the file of --token-file"
}

// read returns the token in a file. The error is one of fs.ErrNotExist only if
// there is no such file.
func (s Search) read(name string) (Secret, error) {
	f, err := os.Open(name)
	if err != nil {
		return Secret{}, fmt.Errorf("read the token: %w", err)
	}
	defer f.Close()
	chmod := s.chmod
	if chmod == nil {
		chmod = (*os.File).Chmod
	}
	if err := protect("read the token", f, chmod); err != nil {
		return Secret{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("read the token: %w", err)
	case len(data) > maxFile:
		return Secret{}, wrap(name, fmt.Errorf("the file has more than %d bytes", maxFile))
	}
	t, err := parse(data)
	return t, wrap(name, err)
}

// Protect takes the permissions of others from a file that holds a secret
// (GH-198). Windows has no such permissions. The error, of kind Invalid, begins
// with op and names the file; it says that they could not be changed, or that
// the file is a directory, which stays as it is.
func Protect(op string, f *os.File) error { return protect(op, f, (*os.File).Chmod) }

func protect(op string, f *os.File, chmod func(f *os.File, mode fs.FileMode) error) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if info.IsDir() { // whose permissions are not ours to change
		return &datakit.Error{Op: op, Subject: f.Name(), Kind: datakit.Invalid, Err: errors.New("it is a directory")}
	}
	if runtime.GOOS == "windows" || info.Mode().Perm()&0o007 == 0 {
		return nil
	}
	err = chmod(f, info.Mode()&^0o007)
	if info, statErr := f.Stat(); err == nil && statErr == nil && info.Mode().Perm()&0o007 != 0 {
		err = errors.New("the file system keeps them")
	}
	if err != nil {
		return &datakit.Error{Op: op, Subject: f.Name(), Kind: datakit.Invalid, Err: fmt.Errorf(
			"its permissions %04o let others access it, and they could not be changed; run chmod o-rwx on it: %w", info.Mode().Perm(), err)}
	}
	return nil
}

// parse reads a token: as the field token of a JSON object, else as it is,
// trimmed (GH-197). Errors do not quote it.
func parse(data []byte) (Secret, error) {
	text := strings.TrimSpace(string(data))
	if strings.HasPrefix(text, "{") {
		var jar struct{ Token string }
		if json.Unmarshal(data, &jar) != nil { // its error quotes what it read
			return Secret{}, errors.New("the JSON is no object with a text as its field token")
		}
		text = strings.TrimSpace(jar.Token)
	}
	if text == "" {
		return Secret{}, errors.New("there is no token in it")
	}
	for _, c := range text {
		if c <= ' ' || c > '~' {
			return Secret{}, errors.New("what is in it has characters that no token has")
		}
	}
	return NewSecret(text), nil
}

// wrap names the place in an error that is not nil.
func wrap(place string, err error) error {
	if err == nil {
		return nil
	}
	return &datakit.Error{Op: "read the token", Subject: place, Kind: datakit.Invalid, Err: err}
}
