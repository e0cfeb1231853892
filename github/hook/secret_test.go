package hook

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/datakit/datakit/github/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestGH178_SecretSurvivesRestarts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "dir", "webhook-secret")
	s, err := LoadSecret(path)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := regexp.MatchString(`^datakit:[0-9a-f]{40}$`, s.Reveal()); !ok {
		t.Errorf("the secret has another form than it should")
	}
	if again, err := LoadSecret(path); again.Reveal() != s.Reveal() || err != nil {
		t.Errorf("another secret is loaded the second time, error %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v, error %v", info.Mode(), err)
	}
	if rest, err := os.ReadDir(filepath.Dir(path)); len(rest) != 1 || err != nil {
		t.Errorf("beside the file there are %v, error %v", rest, err)
	}
}

func TestGH178_SecretsAreRandom(t *testing.T) {
	t.Parallel()
	if a, b := NewSecret(), NewSecret(); a.Reveal() == b.Reveal() {
		t.Error("two secrets are the same")
	}
}

func TestGH178_SecretMadeByManyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "webhook-secret")
	secrets := make([]token.Secret, 8)
	var all sync.WaitGroup
	for i := range secrets {
		all.Go(func() {
			var err error
			if secrets[i], err = LoadSecret(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range secrets {
		if s.Reveal() != secrets[0].Reveal() {
			t.Error("several secrets for one file")
		}
	}
}

func TestGH198_OthersLoseTheWebhookSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "webhook-secret")
	if err := os.WriteFile(path, []byte("made by hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]os.FileMode{0o600: 0o600, 0o640: 0o640, 0o644: 0o640, 0o602: 0o600} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if s, err := LoadSecret(path); s.Reveal() != "made by hand" || err != nil {
			t.Errorf("mode %o: error %v", mode, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("mode %o became %v, %v, want %o", mode, info.Mode(), err, want)
		}
	}
}

func TestGH178_SecretThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, dir, filepath.Join(empty, "below")} {
		if _, err := LoadSecret(path); err == nil || !strings.Contains(err.Error(), path) && !strings.Contains(err.Error(), empty) {
			t.Errorf("LoadSecret(%s): error %v, want one that names the file", path, err)
		}
	}
}
