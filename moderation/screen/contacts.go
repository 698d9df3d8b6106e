package screen

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"duyet/comments"
)

// Contacts remarks on Vietnamese telephone numbers ("phone") and e-mail addresses
// ("email"), which advertise or give somebody's privacy away, with their number in Args
// "count". What stands inside a web address is part of that.
func Contacts() Check {
	// Mobile numbers are 0, one of 3 5 7 8 9 and eight digits; those of a house are 02
	// and nine (numbering plan of circular 22/2014/TT-BTTTT, as amended). +84 stands for
	// the 0; a bare 84 that is set off from what follows is more likely money.
	phone := regexp.MustCompile(`(?:\+84[ .-]?(?:\(0\)|0)?|84|\(?0)(?:[35789](?:[ .)-]{0,2}[0-9]){8}|2(?:[ .)-]{0,2}[0-9]){9})`)
	date := regexp.MustCompile(`^[0-9]{1,2}[ .-][0-9]{1,2}[ .-](?:19|20)[0-9]{2}(?:[^0-9]|$)`)
	email := regexp.MustCompile(`(?i)[a-z0-9][a-z0-9._%+-]*@(?:[a-z0-9-]+\.)+[a-z]{2,}`)
	link := linkPattern()

	isPhone := func(text string, start, end int) bool {
		return !date.MatchString(text[start:]) && !digitBefore(text[:start]) && !digitAfter(text[end:])
	}
	return Check{
		Name:  "contacts",
		Codes: []string{"phone", "email"},
		Look: func(_ context.Context, c comments.Candidate) (signals []comments.Signal, _ error) {
			var phones, emails []comments.Place
			for field, text := range fields(c.Comment) {
				// Most letters have neither, and a look is cheaper than a pattern.
				hasPhone, hasEmail := longestNumber(text) >= phoneDigits, strings.Contains(text, "@")
				if !hasPhone && !hasEmail {
					continue
				}
				links := findLinks(link, field, text)
				if hasPhone {
					for _, at := range phone.FindAllStringIndex(text, -1) {
						if isPhone(text, at[0], at[1]) && !within(links, at) {
							phones = append(phones, comments.Place{Field: field, Start: at[0], End: at[1]})
						}
					}
				}
				if hasEmail {
					for _, at := range email.FindAllStringIndex(text, -1) {
						if !within(links, at) {
							emails = append(emails, comments.Place{Field: field, Start: at[0], End: at[1]})
						}
					}
				}
			}
			if phones != nil {
				signals = append(signals, count(comments.LevelInfo, "phone", phones))
			}
			if emails != nil {
				signals = append(signals, count(comments.LevelInfo, "email", emails))
			}
			return signals, nil
		},
	}
}

// phoneDigits is the fewest digits a telephone number has.
const phoneDigits = 10

// longestNumber is the most digits of text that stand together, but for what people put
// between the digits of a telephone number.
func longestNumber(text string) (most int) {
	digits, between := 0, 0
	for i := range len(text) {
		switch c := text[i]; {
		case isDigit(c):
			digits++
			between = 0
			most = max(most, digits)
		case strings.IndexByte(" .-()", c) >= 0 && between < 4:
			between++
		default:
			digits, between = 0, 0
		}
	}
	return most
}

func within(links []comments.Place, at []int) bool {
	return slices.ContainsFunc(links, func(l comments.Place) bool { return l.Start <= at[0] && at[1] <= l.End })
}

// digitBefore reports whether text ends in the midst of a number, such as "1." of
// "1.0912345678".
func digitBefore(text string) bool {
	text = strings.TrimRight(text, ".,+-")
	return text != "" && isDigit(text[len(text)-1])
}

// digitAfter reports whether the number goes on in text: "12", ".345" or "-678".
func digitAfter(text string) bool {
	if text != "" && strings.IndexByte(".,-", text[0]) >= 0 {
		text = text[1:]
	}
	return text != "" && isDigit(text[0])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
