package train

import (
	"encoding/json"
	"fmt"
)

// ScoresVersion is the version of the format of scores.json.
const ScoresVersion = 1

// ExampleScores are the scores of every judged example of a run: the record's scores.json.
type ExampleScores struct {
	Version     int      `json:"version"`
	Split       string   `json:"split"`
	SplitSHA256 string   `json:"split_sha256"`
	Metrics     []string `json:"metrics"`
	// Scores has a row an example, in the order of the split, with a number from 0 to 10000 a metric.
	Scores [][]int `json:"scores"`
}

// ParseScores reads a scores.json, and refuses one whose rows are not whole.
func ParseScores(data []byte) (ExampleScores, error) {
	var s ExampleScores
	if err := json.Unmarshal(data, &s); err != nil {
		return ExampleScores{}, fmt.Errorf("scores.json cannot be read: %w", err)
	}
	if s.Version != ScoresVersion {
		return ExampleScores{}, fmt.Errorf("scores.json has version %d, this program reads %d", s.Version, ScoresVersion)
	}
	if len(s.Metrics) == 0 || len(s.Scores) == 0 {
		return ExampleScores{}, fmt.Errorf("scores.json is empty: it has %d metrics and %d examples", len(s.Metrics), len(s.Scores))
	}
	for i, row := range s.Scores {
		if len(row) != len(s.Metrics) {
			return ExampleScores{}, fmt.Errorf("scores.json: example %d has %d scores for %d metrics", i, len(row), len(s.Metrics))
		}
		for _, score := range row {
			if score < 0 || score > scoreScale {
				return ExampleScores{}, fmt.Errorf("scores.json: example %d has the score %d, which is not from 0 to %d", i, score, scoreScale)
			}
		}
	}
	return s, nil
}

// scoreScale is an F1 of 1.
const scoreScale = 10000
