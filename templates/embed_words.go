package templates

import "duyet/comments"

// The words of the element's parts that are not one message each.

// told are a title and what follows it.
func (l *Locale) told(id string) []string { return []string{l.Say(id), l.Say(id + "_help")} }

func (l *Locale) laterWords() any {
	words := l.scriptWords(embedLaterWords)
	words["stale"] = map[string]string{"title": l.Say("stale.title"), "help": l.Say("stale.help")}
	words["gone"] = map[string]string{"title": l.Say("tree.not_here"), "help": l.Say("tree.not_here_help")}
	return words
}

func (l *Locale) ownWords() any {
	words := l.scriptWords(embedOwnWords)
	words["done"] = map[string][]string{
		"edit": l.told("sent.edited"), "withdraw": l.told("sent.withdrawn"), "appeal": l.told("sent.appealed"), "published": l.told("sent.published"),
	}
	return words
}

func (l *Locale) deedWords() any {
	words := l.scriptWords(embedDeedWords)
	words["reported"] = l.told("sent.reported")
	deeds, fields, required := map[string]string{}, map[string]string{}, map[string]string{}
	reasons := [][2]string{} // in their order
	for _, deed := range []string{"edit", "withdraw", "appeal", "report"} {
		deeds[deed] = l.Say("deed." + deed)
	}
	for _, name := range []string{"name", "title", "content", "code", "reason"} {
		fields[name] = l.Say("label." + name)
	}
	for _, name := range []string{"name", "title", "content", "code", "reason", "text"} {
		required[name] = l.Say("field." + name + "." + comments.CodeRequired)
	}
	for _, reason := range comments.ReportReasons {
		reasons = append(reasons, [2]string{reason, l.Say("report_reason." + reason)})
	}
	words["deed"], words["field"], words["required"], words["reasons"] = deeds, fields, required, reasons
	return words
}
