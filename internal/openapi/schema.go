package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// A schema is the part of JSON Schema that GitHub's description uses for what
// its bodies look like.
type schema struct {
	Ref                  string `json:"$ref"`
	Type                 json.RawMessage
	Nullable             bool
	Properties           map[string]json.RawMessage
	Required             []string
	Items                json.RawMessage
	Enum                 []any
	AnyOf, OneOf, AllOf  []json.RawMessage
	AdditionalProperties json.RawMessage
}

// body checks a body. strict is for requests, which must have all that is
// required.
func (d *Doc) body(raw json.RawMessage, data []byte, strict bool) error {
	if raw == nil {
		return errors.New("there should be no body")
	}
	if len(data) == 0 {
		if strict {
			return nil // GitHub's bodies are optional unless something in them is required
		}
		return errors.New("there should be a body")
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	return d.value(raw, v, strict)
}

// value checks one value.
func (d *Doc) value(raw json.RawMessage, v any, strict bool) error {
	s, err := d.schema(raw)
	if err != nil {
		return err
	}
	if v == nil && s.Nullable {
		return nil
	}
	if choices := slices.Concat(s.AnyOf, s.OneOf); len(choices) > 0 && s.Properties == nil {
		return d.any(choices, v, strict)
	}
	for _, part := range s.AllOf {
		if err := d.value(part, v, strict); err != nil {
			return err
		}
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return fmt.Errorf("%v is none of %v", v, s.Enum)
	}
	if err := s.checkType(v); err != nil {
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		return d.object(s, v, strict)
	case []any:
		return d.list(s, v, strict)
	}
	return nil
}

func (d *Doc) list(s schema, list []any, strict bool) error {
	if s.Items == nil {
		return nil
	}
	for i, item := range list {
		if err := d.value(s.Items, item, strict); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

// schema reads a schema, references followed.
func (d *Doc) schema(raw json.RawMessage) (s schema, err error) {
	err = json.Unmarshal(raw, &s)
	for err == nil && s.Ref != "" {
		ref := s.Ref
		s = schema{}
		err = d.resolve(ref, &s)
	}
	return s, err
}

// any checks that a value is one of several things.
func (d *Doc) any(choices []json.RawMessage, v any, strict bool) error {
	var errs []error
	for _, c := range choices {
		err := d.value(c, v, strict)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (d *Doc) object(s schema, v map[string]any, strict bool) error {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		p, ok := s.Properties[name]
		if !ok {
			if s.Properties == nil || s.AdditionalProperties != nil && string(s.AdditionalProperties) != "false" {
				continue
			}
			return fmt.Errorf("there is no %q", name)
		}
		if err := d.value(p, v[name], strict); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range s.Required {
		if _, ok := v[name]; strict && !ok {
			return fmt.Errorf("%q is required", name)
		}
	}
	return nil
}

// checkType compares a value with the type, which is one word or a list.
func (s schema) checkType(v any) error {
	if s.Type == nil {
		return nil
	}
	var types []string
	if json.Unmarshal(s.Type, &types) != nil {
		types = []string{""}
		if err := json.Unmarshal(s.Type, &types[0]); err != nil {
			return err
		}
	}
	is := typeOf(v)
	if slices.Contains(types, is) || is == "integer" && slices.Contains(types, "number") {
		return nil
	}
	return fmt.Errorf("%v is no %v", v, types)
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
		return "number"
	}
	return "object"
}
