// Package openapi holds requests and answers against a description of an HTTP
// API in the OpenAPI format, as far as GitHub's needs it. It is for tests: it
// finds names that are misspelt, values of the wrong type, requests that lack
// something, and statuses that are never answered. It does not mind that an
// answer leaves something out.
package openapi

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// A Doc is a description. Its methods may be called from several goroutines at
// once.
type Doc struct {
	paths      map[string]map[string]json.RawMessage
	components map[string]map[string]json.RawMessage
}

// Parse reads a description in JSON.
func Parse(data []byte) (*Doc, error) {
	var doc struct {
		Paths      map[string]map[string]json.RawMessage
		Components map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("OpenAPI description: %w", err)
	}
	return &Doc{doc.Paths, doc.Components}, nil
}

// An operation is a method of a path.
type operation struct {
	RequestBody struct {
		Content map[string]media
	}
	Responses map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]media
}

type media struct{ Schema json.RawMessage }

// Check returns what is wrong with a request and its answer, or nil. path is
// without a query; the bodies are JSON, or empty where there is none.
func (d *Doc) Check(method, path string, sent []byte, status int, got []byte) error {
	op, err := d.operation(method, path)
	if err != nil {
		return err
	}
	if m, ok := op.RequestBody.Content["application/json"]; ok || len(sent) > 0 {
		if err := d.body(m.Schema, sent, true); err != nil {
			return fmt.Errorf("%s %s is sent %s: %w", method, path, sent, err)
		}
	}
	r, ok := op.Responses[strconv.Itoa(status)]
	if !ok {
		return d.failure(method, path, status)
	}
	if r.Ref != "" {
		if err := d.resolve(r.Ref, &r); err != nil {
			return err
		}
	}
	m, ok := r.Content["application/json"]
	if !ok && (len(got) == 0 || status >= 400) {
		return nil // of failures not all bodies are described
	}
	if err := d.body(m.Schema, got, false); err != nil {
		return fmt.Errorf("%s %s is answered %d %.300s: %w", method, path, status, got, err)
	}
	return nil
}

// failure accepts the failures that any request may have and that GitHub's
// description leaves out.
func (d *Doc) failure(method, path string, status int) error {
	switch status {
	case 304, 401, 403, 404, 409, 422, 429, 500, 502, 503:
		return nil
	}
	return fmt.Errorf("%s %s is never answered %d", method, path, status)
}

// operation finds the description of a request.
func (d *Doc) operation(method, path string) (operation, error) {
	best, literal := "", -1
	for template := range d.paths {
		if n := match(template, path); n > literal {
			best, literal = template, n
		}
	}
	raw, ok := d.paths[best][strings.ToLower(method)]
	if !ok {
		return operation{}, fmt.Errorf("there is no request %s %s", method, path)
	}
	var op operation
	err := json.Unmarshal(raw, &op)
	return op, err
}

// match returns how many parts of the path are literally those of the template,
// -1 if the path is none of the template's. The parameter "{ref}" at the end may
// have several parts.
func match(template, path string) int {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	literal := 0
	for i, w := range want {
		switch {
		case i >= len(got):
			return -1
		case w == "{ref}" && i == len(want)-1:
			return literal
		case strings.HasPrefix(w, "{"):
		case w != got[i]:
			return -1
		default:
			literal++
		}
	}
	if len(got) != len(want) {
		return -1
	}
	return literal
}

// resolve reads what "#/components/KIND/NAME" refers to into v.
func (d *Doc) resolve(ref string, v any) error {
	kind, name, _ := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
	raw, ok := d.components[kind][name]
	if !ok {
		return fmt.Errorf("the description lacks %s", ref)
	}
	return json.Unmarshal(raw, v)
}
