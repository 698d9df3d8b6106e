package screen

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"duyet/comments"
)

// Personal remarks on what gives somebody's privacy away: the number of a citizen's identity
// card ("citizen_id"), of a bank account ("bank_account"), and a postal address ("address"),
// with their number in Args "count". Telephone numbers and e-mail addresses are Contacts'.
func Personal() Check {
	digits := regexp.MustCompile(`[0-9](?:[ .-]?[0-9]){8,18}`)
	// What introduces a number decides whose it is.
	bank := regexp.MustCompile(`(?i)(?:\bstk\b|số\s+tài\s+khoản|so\s+tai\s+khoan|\btk\b|tài\s+khoản|account\s+(?:number|no\.?)|chuyển\s+khoản|vietcombank|\bvcb\b|techcombank|\btcb\b|\bbidv\b|vietinbank|agribank|\bacb\b|sacombank|vpbank|tpbank|mb\s*bank|\bvib\b|momo)[^0-9\n]{0,40}$`)
	citizen := regexp.MustCompile(`(?i)(?:cccd|cmnd|cmt|căn\s+cước|can\s+cuoc|chứng\s+minh|định\s+danh|id\s+card|passport|hộ\s+chiếu)[^0-9\n]{0,30}$`)
	address := addressPattern()
	ward := regexp.MustCompile(`(?i)(?:,\s*|\s)(?:p\.|phường|xã|q\.|quận|huyện|thành phố|tp\.?|tỉnh|ward|district)\s*[\pL0-9]`)
	home := regexp.MustCompile(`(?i)^(?:số\s+nhà|nhà\s+số|số)\s`)
	link := linkPattern()

	return Check{
		Name:  "personal",
		Codes: []string{"citizen_id", "bank_account", "address"},
		Look: func(_ context.Context, c comments.Candidate) (signals []comments.Signal, _ error) {
			found := map[string][]comments.Place{}
			for field, text := range fields(c.Comment) {
				if field == "name" {
					continue
				}
				if longestNumber(text) >= 9 {
					links := findLinks(link, field, text)
					for _, at := range digits.FindAllStringIndex(text, -1) {
						if code := numberKind(text, at, citizen, bank); code != "" && !within(links, at) {
							found[code] = append(found[code], comments.Place{Field: field, Start: at[0], End: at[1]})
						}
					}
				}
				if !mayAddress(text) {
					continue
				}
				for _, at := range address.FindAllStringIndex(text, -1) {
					said := text[at[0]:at[1]]
					// "15 đường bay" is no address: it needs a ward, or to be called a house.
					if home.MatchString(said) || ward.MatchString(said) {
						found["address"] = append(found["address"], comments.Place{Field: field, Start: at[0], End: at[0] + len(strings.TrimRight(said, " "))})
					}
				}
			}
			for _, code := range []string{"citizen_id", "bank_account", "address"} {
				if found[code] != nil {
					signals = append(signals, count(comments.LevelInfo, code, found[code]))
				}
			}
			return signals, nil
		},
	}
}

// addressPattern finds a house number, then a street, an alley or a ward by its name.
func addressPattern() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:\b(?:số\s+(?:nhà\s+)?|nhà\s+(?:số\s+)?|ngõ\s+|hẻm\s+|kiệt\s+|ngách\s+))?[0-9]{1,4}[a-z]?(?:/[0-9]{1,4}[a-z]?){0,4},?\s+(?:đường|phố|ngõ|hẻm|kiệt|ngách|tổ|ấp|thôn|khu\s+phố|street|road)\s+[\pL0-9][\pL0-9 ]{1,40}(?:,\s*(?:p\.|phường|xã|q\.|quận|huyện|thành\s+phố|tp\.?|tỉnh|ward|district)\s*[\pL0-9 ]{1,30})*`)
}

// mayAddress reports whether a text can hold an address: a number, and as the next word what
// streets are called. Looking for that takes a hundredth of the pattern's time.
func mayAddress(text string) bool {
	streets := []string{"đường", "phố", "ngõ", "hẻm", "kiệt", "ngách", "tổ", "ấp", "thôn", "khu", "street", "road"}
	const space = " \t\n\f\r"
	for {
		i := strings.IndexAny(text, "0123456789")
		if i < 0 {
			return false
		}
		text = text[i:]
		if i = strings.IndexAny(text, space); i < 0 {
			return false
		}
		text = strings.TrimLeft(text[i:], space)
		word, _, _ := strings.Cut(text[:min(len(text), 24)], " ")
		word = strings.ToLower(word)
		if slices.ContainsFunc(streets, func(s string) bool { return strings.HasPrefix(word, s) }) {
			return true
		}
	}
}

// numberKind is what a row of digits most likely is: by what introduces it, or since it reads
// as a citizen's number throughout.
func numberKind(text string, at []int, citizen, bank *regexp.Regexp) string {
	if digitBefore(text[:at[0]]) || digitAfter(text[at[1]:]) {
		return ""
	}
	before := text[max(0, at[0]-60):at[0]]
	number := onlyDigits(text[at[0]:at[1]])
	switch {
	case citizen.MatchString(before) && (len(number) == 9 || len(number) == 12):
		return "citizen_id"
	case bank.MatchString(before):
		return "bank_account"
	case len(number) == 12 && citizenNumber(number) && strings.Trim(text[at[0]:at[1]], "0123456789 ") == "":
		return "citizen_id"
	}
	return ""
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// citizenNumber reports whether twelve digits read as a citizen's number: province (001–096),
// century and sex (0–3 for who is alive), year of birth, six digits at random (circular
// 59/2021/TT-BCA).
func citizenNumber(n string) bool {
	province, err := strconv.Atoi(n[:3])
	return err == nil && province >= 1 && province <= 96 && n[3] <= '3'
}
