package datakit

import (
	"encoding/json"
	"strings"
	"testing"
)

const digits = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

func TestFS25_ParseHash(t *testing.T) {
	for _, s := range []string{digits, strings.ToUpper(digits), strings.Repeat("aB", 20)} {
		h, err := ParseHash(s)
		if want := strings.ToLower(s); err != nil || h.String() != want {
			t.Errorf("ParseHash(%q) = %v, %v, want %s", s, h, err, want)
		}
	}
	if h, err := ParseHash(digits); h != EmptyTree || err != nil {
		t.Errorf("ParseHash(%q) = %v, %v, want EmptyTree", digits, h, err)
	}
}

func TestFS25_CLT3_ParseHashRefuses(t *testing.T) {
	for _, s := range []string{
		"", "HEAD", "hello", digits[:39], digits + "0", " " + digits[1:], digits[1:] + "\n", "g" + digits[1:], "D-" + digits,
	} {
		if h, err := ParseHash(s); KindOf(err) != Invalid || err == nil || !h.IsZero() {
			t.Errorf("ParseHash(%q) = %v, %v, want kind %v", s, h, err, Invalid)
		}
	}
}

func TestHashText(t *testing.T) {
	data, err := json.Marshal(map[string]Hash{"h": EmptyTree})
	if want := `{"h":"` + digits + `"}`; err != nil || string(data) != want {
		t.Errorf("a Hash in JSON: %s, %v, want %s", data, err, want)
	}
	var back map[string]Hash
	if err := json.Unmarshal(data, &back); err != nil || back["h"] != EmptyTree {
		t.Errorf("back from JSON: %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"h":"x"}`), &back); KindOf(err) != Invalid {
		t.Errorf("a malformed Hash in JSON: %v, want kind %v", err, Invalid)
	}
	text, err := EmptyTree.AppendText([]byte("D-"))
	if want := "D-" + digits; err != nil || string(text) != want {
		t.Errorf("AppendText: %s, %v, want %s", text, err, want)
	}
}

func TestHashIsZero(t *testing.T) {
	if !(Hash{}).IsZero() || EmptyTree.IsZero() || (Hash{19: 1}).IsZero() {
		t.Error("IsZero is not true of exactly the zero Hash")
	}
}

func FuzzParseHash(f *testing.F) {
	for _, seed := range []string{"", digits, strings.ToUpper(digits), digits[1:], "D-" + digits} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHash(s)
		if err == nil && h.String() != strings.ToLower(s) {
			t.Fatalf("ParseHash(%q) = %v", s, h)
		}
	})
}
