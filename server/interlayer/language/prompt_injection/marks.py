"""What an order to a model is known by: marks with weights, and what is one by itself.

| mark | says | weight |
| --- | --- | --- |
| `turn` | a line poses as a turn of a conversation or as the system: "system: ...", "[ADMIN]" | 0.6 |
| `called` | a model, bot or assistant is spoken to: "note to AI agents", "you, the assistant" | 0.8, loosely 0.4-0.6 |
| `order` | a verb of what agents are told to do, as an order: "send", "must approve" | 0.4 |
| `condition` | "if anybody asks about ...", "when summarizing this", and what to say then | 0.5, with it 1.0 |
| `secrecy` | "do not tell the user", and what to say instead | 0.4-0.6 |
| `first` | "before you answer", "do the following first", "your new task" | 0.4-0.6 |
| `answers` | "to the end of every answer" | 0.7 |
| `tools` | "call the tool ...", "delete the memory" | 0.4-0.6 |
| `secrets` | passwords, keys, the system prompt, and an address to send to | 0.4, 0.05 |
| `pose` | "governance notice:", "new policy for all agents", "approved by the user already" | 0.4-0.7 |
| `loosened` | "needs no approval", "skip the checks" | 0.5 |
| `persona` | "you are now", "from now on, approve" | 0.7 |
| `colleague` | "call me", "let us know": somebody speaks to a colleague | -0.3 |

The weights of the marks that a sentence has are added up, of each mark the highest; from `THRESHOLD` on it is an order.
Nothing but the threshold is fitted: `python benchmarks injections` chooses it over folds of labelled texts.
"""

from typing import Any, Final

import re2

from interlayer.language.lexicon.reader import pattern, words

THRESHOLD: Final = 1.0
_MEMORY: Final = 64 << 20  # bytes at most, for the states of a pattern of many words


def alternatives(*names: str) -> str:
    """Return the words of some lists as alternatives for RE2, which takes only ASCII for letters of a word."""
    return pattern(words(*names)).replace(r"\w*", r"[^\s.,;:!?)]*")


_AI: Final = (
    r"(?:a\.?i\.?(?:[ -](?:agent|assistant|model|system|bot|reader|tool)s?)?|llms?|(?:chat ?)?gpt(?:-?\d\w*)?"
    r"|(?:large |ai )?language models?|(?:chat ?)?bots?|(?:virtual|digital|automated|autonomous) (?:assistant|agent)s?)"
)
_ANY_AI: Final = rf"(?:{_AI}|assistants?|agents?)"
_ORDER: Final = f"(?:{alternatives('verbs_of_orders')})"
_LOOSE: Final = r"(?:please |kindly |always |never |now |also |then |first |just |only |simply |immediately |must |to )*"
_POLITE: Final = r"(?:please|and|then|now|first|instead|also|bitte|und|et|y|e|en|и)"
_OWN_TOOLS: Final = (
    r"(?:forget|memorize|recall_entity|search_memory|list_entities|get_governance_context|check_compliance|describe_schema)"
)
_SAY: Final = (
    r"(?:say|answer|tell|reply|respond|claim|state|recommend|mention|offer|promise|deny|bcc|cc|copy|forward|send|quote"
    r"|insist|pretend|sag|sage|antworte|réponds|répondez|dis|dites|responde|di|diga|rispondi|dici|responda|zeg|antwoord)"
)
_PEOPLE: Final = (
    r"(?:any(?:body|one)|some(?:body|one)|(?:a|an|any|the|some|every|each)? ?(?:[a-z]+ )?(?:customer|user|client|caller"
    r"|visitor|buyer|prospect)s?|people|jemand|ein kunde|quelqu'un|alguien|qualcuno|alguém|iemand)"
)

# Mark -> what it is known by, with a weight each; a mark counts once.
_MARKS: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "turn": (
        (0.6, r"^\W*(?:system|assistant|ai|developer|admin(?:istrator)?|root|user|human)(?: (?:message|prompt|note|notice"
              r"|override|instruction|alert|command)s?)?\W{0,3}[:>\]]"),
    ),
    "called": (
        (0.8, rf"\b(?:note|message|memo|notice|instructions?|info|information|reminder|warning|important|request|word"
              rf"|attention|hinweis|nachricht|nota|message)s?,? (?:(?:to|for|all|any|the|every|of|an|die|alle|den|à|para"
              rf"|per|aan|l'|les) ?)*{_AI}(?:[^a-z\d-]|$)"),
        (0.6, r"\b(?:note|message|memo|notice|instructions?) (?:to|for) (?:the |any |all |every )*assistants?\s*[:,]"),
        (0.4, r"\b(?:note|message|memo|notice|instructions?) (?:to|for) (?:the |any |all |every )*agents?\b"),
        (0.8, rf"^\W*(?:to|dear|hey|hello|hi|for|attention:?)[ ,]+(?:the |all |any |every |our )*{_ANY_AI}\s*(?:[,:!]|that "
              r"|who |in charge|reading|processing)"),
        (0.8, rf"\b(?:any|every|each|all|whatever|whichever)(?: of the)? {_AI}(?: or {_ANY_AI})?,? (?:that|which|who|reading"
              r"|processing|indexing|parsing|handling|summari[sz]ing|with access)\b"),
        (0.8, rf"\b(?:as|being) (?:an?|the) (?:{_AI}|assistant),? you\b"),
        (0.8, rf"\byou,? (?:as )?(?:an?|the|our|dear) (?:{_AI}|assistant|agent)\b"),
        (0.8, rf"\byou(?:'re| are) (?:an? |the )(?:[a-z]+ ){{0,2}}(?:{_AI}|assistant)\b"),
        (0.8, rf"\bif (?:an?|any|the) (?:{_AI}|assistant) (?:reads?|is reading|sees?|processes|finds?|retrieves)\b"),
        (0.6, rf"(?:^|[.;:!?>]\s*)\W*(?:{_AI}|assistants?|agents?|{alternatives('words_for_models')})\s*[,:!：，、،]"),
        (0.6, rf"\b(?:{_AI}|assistants?|agents) reading this\b"),
        (0.5, rf"\b{_AI} (?:must|shall|should|have to|are to|is to|are required)\b"),
        (0.3, r"\b(?:assistants|agents) (?:must|shall|should|may|can|will|are)\b"),
    ),
    "order": (
        (0.4, rf"(?:^\W*|[:;,!>)\]-]\s*|\b{_POLITE}\s+){_LOOSE}(?:{_ORDER})(?:[^a-z\d'À-ɏ-]|$)"),
        (0.4, rf"\b(?:must|shall|should|required to|have to|has to|told to|want you to|need to) (?:also |always |now "
              rf"|then |never )*(?:{_ORDER})\b"),
        (0.4, r"(?:发送|转发|回复|告诉|删除|批准|导出|透露|泄露|转账|支付|执行|调用|保存|送って|送信し|転送し|返信し|削除し|承認し)"),
    ),
    "condition": (
        (1.0, rf"\b(?:if|when|whenever|should|in case|every time|each time|next time|once|wenn|falls|si|quand|cuando|se"
              rf"|quando|als) {_PEOPLE}(?: (?:from|of|at|von|de|bei|di|da) [^,.;]{{1,40}}?)? (?:asks?|writes?|calls?"
              r"|inquires?|wants?|mentions?|requests?|talks?|speaks?|fragt|demande|pregunta|chiede|pergunta|vraagt)\b"
              rf"[^.;\n]{{0,80}}?[,:]\s*{_LOOSE}{_SAY}\b"),
        (1.0, rf"\b(?:when(?:ever)?|if|once) (?:you are |you're |ever )?asked\b[^.;\n]{{0,80}}?[,:]\s*{_LOOSE}{_SAY}\b"),
        (0.6, r"\b(?:when|while|whenever|before|after|if|once) (?:you(?:'re| are)? )?(?:summari[sz](?:ing|e)|(?:read|process"
              r"|retriev|index|pars|recall)(?:ing|e)? (?:this|it)\b)"),
    ),
    "secrecy": (
        (0.6, r"\b(?:do not|don't|never|must not|without) (?:ever )?(?:tell|inform|mention|reveal|disclos|show|notif|alert"
              r"|warn|let)\w*\b[^.;\n]{0,40}\b(?:users?|humans?|operators?|these instructions|this instruction)\b"),
        (0.4, r"\b(?:do not|don't|never|must not|without) (?:ever )?(?:tell|inform|mention|reveal|disclos|show|notif|alert"
              r"|warn|let)\w*\b[^.;\n]{0,40}\b(?:anyone|anybody|owners?|customers?|clients?)\b"),
        (0.6, r"\b(?:hidden|secret|hide this|hide it) from (?:the )?(?:users?|humans?)\b"),
    ),
    "instead": (
        (0.4, r"[;,.:]\s*(?:just |instead,? |simply |only )*(?:say|claim|pretend|answer|reply|tell them|tell him|tell her)"
              r",? (?:that|everything|all|it|nothing)\b"),
    ),
    "first": (
        (0.6, r"\bbefore (?:you )?(?:(?:can )?(?:answer|respond|repl[yi]|continu|proceed)\w*|do(?:ing)? anything|complet\w+ "
              r"(?:the|your|any) (?:task|request))"),
        (0.5, r"\bfirst task\b|\byour (?:first|new|next|real|actual|only|main) (?:task|job|goal|objective|order|instruction"
              r"|priority)\b"),
    ),
    "following": ((0.4, r"\bdo (?:all of )?(?:the following|this first|these steps|the next)\b|\bis now this\b"),),
    "answers": (
        (0.7, r"\b(?:to|in|at|into|with|on|of|end|begin|start|close) (?:the )?(?:(?:end|beginning|start|top|bottom) of )?"
              r"(?:every|each|all(?: of)?(?: your)?|your (?:final|next|every|future)|any|the final|the next)\s*(?:further "
              r"|future |subsequent )?(?:answer|response|repl(?:y|ie)|output|summar(?:y|ie)|completion)s?\b"),
        (0.4, r"\bin your (?:answer|response|output|summary)\b"),
    ),
    "tools": (
        (0.6, rf"\b(?:call|run|use|invoke|execute|trigger)(?:ing)? (?:the |your |a |its )*(?:(?:tool|function|command)s?\b"
              rf"|{_OWN_TOOLS}\b|[a-z]+_[a-z_]+\b)"),
        (0.6, r"\b(?:delete|erase|wipe|clear|forget|purge|overwrite|export|dump) (?:the |your |all |every |everything (?:in"
              r"|from) )*(?:memor(?:y|ies)|facts|knowledge base|context)\b"),
        (0.4, r"\b(?:delete|erase|wipe|clear|purge|overwrite|export|dump) (?:the |your |all |every )*(?:notes|entries"
              r"|records?|history|database|conversations?|contacts)\b"),
    ),
    "secrets": (
        (0.4, r"\b(?:passwords?|credentials|api[ -]?keys?|access tokens?|secret keys?|private keys?|(?:system|hidden) prompt"
              r"|(?:chat|conversation) history|environment variables?|passwort|mots? de passe|contraseñas?)\b|密码|パスワード"),
    ),
    "to": ((0.05, r"https?://|[\w.+-]+@[\w-]+\.\w"),),
    "pose": (
        (0.6, r"^\W*(?:important |urgent |official |new )*(?:governance|compliance|policy|security|system|admin(?:istrator"
              r"|istration)?|management)\s+(?:notice|update|override|directive|announcement|order|exception|alert|bulletin"
              r"|waiver)\b[^.\n]{0,30}:"),
        (0.7, rf"\b(?:new|updated|revised|changed|latest)\s+(?:[a-z]+ ){{0,2}}(?:polic(?:y|ies)|rules?|guidelines?|directives?"
              rf"|procedures?)\s+(?:for|applies to|to) (?:all |every |any |the |our )*(?:{_ANY_AI})\b"),
        (0.4, r"^\W*(?:new|updated|revised) (?:company |internal |corporate |security )?(?:policy|rule|directive"
              r"|guideline)s?\s*[:,-]"),
        (0.4, r"\b(?:user|owner|administrator|admin|operator|human|ceo|management) (?:has|have) (?:already )?(?:approved"
              r"|authori[sz]ed|confirmed|consented)\b|\bno need to (?:ask|confirm|check)\b"),
    ),
    "loosened": (
        (0.5, r"\bneeds? no (?:further |more |prior )?(?:approval|review|check)|\bno (?:approval|review|confirmation"
              r"|verification)s? (?:is |are )?(?:needed|required|necessary)|\bwithout (?:any |further |prior )?(?:approval"
              r"|review|confirmation|verification|asking)|\b(?:no longer|not) (?:apply|applies|binding|in force)\b"
              r"|\b(?:ignore|skip|bypass|suspend|disable|waive|override|lift)\w* (?:the |all |any |every )*(?:rules?|checks?"
              r"|polic(?:y|ies)|approvals?|reviews?|limits?|controls?|compliance|governance|guardrails?|verification)\b"
              r"|\b(?:is|are) (?:hereby )?(?:suspended|disabled|lifted|void|waived|revoked|overridden)\b"
              r"|\b(?:must|shall|should|may|can|will) (?:now |always |from now on )*(?:approve|accept|grant|authori[sz]e"
              r"|confirm|waive)\s+(?:all|any|every|each)\b"),
    ),
    "persona": (
        (0.7, r"\byou are now\b|\bact as (?:if you|an? (?:unrestricted|different|admin))|\bpretend (?:to be|that you|you "
              r"are)\b|\bfrom (?:now|here) on,? (?:you (?:must|will|shall|are)|always|approve|reply|answer|respond|say|treat"
              r"|call)\b|\b(?:developer|god|debug|unrestricted|maintenance) mode\b|\bjailbr(?:eak|oken)\b"
              r"|\bno (?:longer have )?restrictions\b"),
    ),
    "colleague": (
        (-0.3, r"\b(?:call|contact|tell|ask|let|give|send|refer\w*|copy|forward)\s+(?:them to |him to |her to )?(?:me|us)\b"
               r"|\bI(?:'m| am|'ll| will| have|'ve)\b"),
    ),
}  # fmt: skip


_NEEDED: Final = ("turn", "called", "condition", "secrecy", "first", "answers", "tools", "pose", "persona")
"""Without one of these marks no sentence comes to the threshold."""


def needed_signs() -> str:
    """Return a pattern for what every sentence has that its marks make an order."""
    sources = (source for name in _NEEDED for _, source in _MARKS[name])
    return "|".join(source.replace(r"^\W*", r"(?:^|[.!?;>。！？])\W*") for source in sources)


def compiled(source: str) -> Any:
    """Return a pattern for RE2, for any case and each line."""
    options = re2.Options()
    options.never_capture, options.log_errors, options.max_mem = True, False, _MEMORY
    options.case_sensitive = False
    return re2.compile(f"(?ms){source}", options)


_COMPILED: Final[dict[str, list[tuple[float, Any]]]] = {}


def marks_of(sentence: str) -> dict[str, float]:
    """Return the marks of a sentence with their weights."""
    if not _COMPILED:  # when first needed: a start must not wait for it
        _COMPILED.update({name: [(weight, compiled(one)) for weight, one in known] for name, known in _MARKS.items()})
    found: dict[str, float] = {}
    for name, known in _COMPILED.items():
        weights = [weight for weight, one in known if one.search(sentence)]
        if weights:
            found[name] = max(weights, key=abs)
    return found
