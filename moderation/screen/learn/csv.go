package learn

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ErrTable tells of a table that can't be read as labelled comments.
var ErrTable = errors.New("bad table")

// ReadCSV reads labelled comments from a table with a header: comma, semicolon or tab between
// columns, UTF-8 with or without a byte order mark, quotes as spreadsheets write them, stray
// ones let be. Columns are named without regard to case. A label is 0 or 1, true or false, yes
// or no, or a number, which counts as positive from 0.5 on. Rows without any text are left out.
// Examples have no ID, so that tables can be learnt one after the other. Errors wrap ErrTable
// and name the row, the header being row 1.
func ReadCSV(r io.Reader, textCol, labelCol string) ([]Example, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("table: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	table := csv.NewReader(bytes.NewReader(data))
	table.Comma = separator(data, textCol)
	table.LazyQuotes = true
	table.FieldsPerRecord = -1
	table.ReuseRecord = true
	header, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("no header: %w", ErrTable)
	}
	text, label := column(header, textCol), column(header, labelCol)
	if text < 0 || label < 0 {
		return nil, fmt.Errorf("header %q lacks column %q or %q: %w", header, textCol, labelCol, ErrTable)
	}
	var out []Example
	for row := 2; ; row++ {
		record, err := table.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %v: %w", row, err, ErrTable)
		}
		if text >= len(record) || label >= len(record) {
			return nil, fmt.Errorf("row %d has %d columns: %w", row, len(record), ErrTable)
		}
		if strings.TrimSpace(record[text]) == "" {
			continue
		}
		positive, err := parseLabel(record[label])
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", row, err)
		}
		out = append(out, Example{
			Text:     strings.ToValidUTF8(strings.Clone(record[text]), "\uFFFD"),
			Positive: positive,
		})
	}
}

// separator is the sign that leaves the wanted column standing alone in the header.
func separator(data []byte, name string) rune {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	for _, sign := range ",;\t" {
		fields := strings.Split(strings.ReplaceAll(string(line), `"`, ""), string(sign))
		if column(fields, name) >= 0 {
			return sign
		}
	}
	return ','
}

func column(header []string, name string) int {
	return slices.IndexFunc(header, func(h string) bool {
		return strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(name))
	})
}

func parseLabel(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes":
		return true, nil
	case "false", "no":
		return false, nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || v != v {
		return false, fmt.Errorf("label %.20q is neither 0 nor 1: %w", s, ErrTable)
	}
	return v >= 0.5, nil
}
