package openapi

import (
	"strings"
	"testing"
)

const small = `{
	"paths": {
		"/things/{id}": {"get": {"responses": {
			"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}}}},
			"404": {"$ref": "#/components/responses/gone"}}}},
		"/things/mine": {"get": {"responses": {"204": {}}}},
		"/refs/{ref}": {"patch": {
			"requestBody": {"content": {"application/json": {"schema": {
				"type": "object", "required": ["sha"], "properties": {"sha": {"type": "string"}, "force": {"type": "boolean"}}}}}},
			"responses": {"200": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "integer"}}}}}}}}
	},
	"components": {
		"schemas": {
			"thing": {"type": "object", "required": ["a", "b"], "properties": {
				"a": {"type": "string", "enum": ["x", "y"]},
				"b": {"type": ["integer", "null"]},
				"c": {"nullable": true, "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/thing"}]},
				"d": {"allOf": [{"$ref": "#/components/schemas/map"}]}}},
			"map": {"type": "object", "additionalProperties": {"type": "string"}}
		},
		"responses": {"gone": {"content": {"application/json": {"schema": {"type": "object", "properties": {"message": {"type": "string"}}}}}}}
	}
}`

func TestCheck(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		request, sent string
		status        int
		got, err      string // err is a part of the error
	}{
		{"GET /things/1", "", 200, `{"a": "x", "b": 1, "c": {"a": "y"}, "d": {"any": "thing"}}`, ""},
		{"GET /things/1", "", 200, `{"b": null, "c": null}`, ""},
		{"GET /things/1", "", 200, `{"a": "z"}`, "z is none of [x y]"},
		{"GET /things/1", "", 200, `{"b": 1.5}`, "b: 1.5 is no [integer null]"},
		{"GET /things/1", "", 200, `{"c": 1}`, "c: 1 is no [string]"},
		{"GET /things/1", "", 200, `{"e": 1}`, `there is no "e"`},
		{"GET /things/1", "", 200, ``, "there should be a body"},
		{"GET /things/1", "", 200, `{`, "unexpected end"},
		{"GET /things/1", `{}`, 200, `{}`, "there should be no body"},
		{"GET /things/1", "", 404, `{"message": 1}`, "message: 1 is no [string]"},
		{"GET /things/1", "", 201, `{}`, "never answered 201"},
		{"GET /things/1", "", 502, `<html>`, ""},
		{"GET /things/mine", "", 204, ``, ""},
		{"GET /things/mine", "", 200, `{}`, "never answered 200"},
		{"GET /thing", "", 200, `{}`, "no request GET /thing"},
		{"GET /things/1/2", "", 200, `{}`, "no request GET /things/1/2"},
		{"PATCH /refs/heads/a", `{"sha": "1", "force": true}`, 200, `[1]`, ""},
		{"PATCH /refs/heads/a", `{"force": true}`, 200, `[1]`, `"sha" is required`},
		{"PATCH /refs/heads/a", `{"sha": 1}`, 200, `[1]`, "sha: 1 is no [string]"},
		{"PATCH /refs/heads/a", `{"sha": "1"}`, 200, `[1, "2"]`, "[1]: 2 is no [integer]"},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		err := d.Check(method, path, []byte(tt.sent), tt.status, []byte(tt.got))
		if err == nil && tt.err != "" || err != nil && (tt.err == "" || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s %s, %d %s: %v, want %q", tt.request, tt.sent, tt.status, tt.got, err, tt.err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Parse([]byte("[]")); err == nil {
		t.Error("a list is taken for a description")
	}
}
