package nearest

import "testing"

func TestName(t *testing.T) {
	names := []string{"replicas", "resources", "revision", "image", "model"}
	tests := []struct {
		typed, want string
		near        bool
	}{
		{"replica", "replicas", true},
		{"imgae", "image", true},
		{"MODEL", "model", true},
		{"rev", "revision", true},
		{"kubernetes", "", false},
		{"x", "", false},
	}
	for _, tt := range tests {
		got, near := Name(tt.typed, names)
		if near != tt.near || near && got != tt.want {
			t.Errorf("Name(%q) = %q, %v; want %q, %v", tt.typed, got, near, tt.want, tt.near)
		}
	}
	if _, near := Name("x", nil); near {
		t.Error("Name found a name among none")
	}
}
