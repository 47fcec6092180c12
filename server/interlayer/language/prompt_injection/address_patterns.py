"""How an order speaks to a model: the marks of who is called, told and asked; `marks` says what they stand for."""

from typing import Final

from interlayer.language.lexicon.reader import pattern, words


def alternatives(*names: str) -> str:
    """Return the words of some lists as alternatives for RE2, which takes only ASCII for letters of a word."""
    return pattern(words(*names)).replace(r"\w*", r"[^\s.,;:!?)]*")


AI: Final = (
    r"(?:a\.?i\.?(?:[ -](?:agent|assistant|model|system|bot|reader|tool)s?)?|llms?|(?:chat ?)?gpt(?:-?\d\w*)?"
    r"|(?:large |ai )?language models?|(?:chat ?)?bots?|(?:virtual|digital|automated|autonomous) (?:assistant|agent)s?)"
)
_MODELS: Final = alternatives("words_for_models")
ANY_AI: Final = rf"(?:{AI}|assistants?|agents?)"
_ORDER: Final = f"(?:{alternatives('verbs_of_orders')})"
_LOOSE: Final = (
    r"(?:please |kindly |always |never |now |also |then |first |just |only |simply |immediately |must |to )*"
)
_POLITE: Final = r"(?:please|and|then|now|first|instead|also|bitte|und|et|y|e|en|и)"
OWN_TOOLS: Final = (
    r"(?:forget|memorize|recall_entity|search_memory|list_entities|get_governance_context|check_compliance"
    r"|describe_schema)"
)
_SAY: Final = (
    r"(?:say|answer|tell|reply|respond|claim|state|recommend|mention|offer|promise|deny|bcc|cc|copy|forward|send|quote"
    r"|insist|pretend|give|blame|refuse|direct|redirect|approve|grant|confirm|refund|transfer|delete|sag|sage"
    r"|antworte|réponds|répondez|dis|dites|responde|di|diga|rispondi|dici|responda|zeg|antwoord)"
)
_PEOPLE: Final = (
    r"(?:any(?:body|one)|some(?:body|one)|(?:a|an|any|the|some|every|each)? ?(?:[a-z]+ )?(?:customer|user|client|caller"
    r"|visitor|buyer|prospect)s?|people|jemand|ein kunde|quelqu'un|alguien|qualcuno|alguém|iemand)"
)

# Mark -> what it is known by, with a weight each; a mark counts once.
ADDRESSING: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "turn": (
        (0.6, r"[\"']\s*(?:system|assistant|ai)\s*:"),
        (
            0.6,
            (
                r"^\W*(?:system|assistant|ai|llm|model|developer|admin(?:istrator)?|root|user|human|tool|function)(?:"
                r" (?:message"
                r"|prompt|note|notice|override|instruction|alert|command)s?)?\W{0,3}[:>\]]"
            ),
        ),
        (0.5, r"\b(?:new|updated|special|secret|hidden|additional|real|actual) instructions?\s*:"),
    ),
    "called": (
        (
            0.6,
            (
                rf"\b(?:the|any|every|each) (?:{AI}|model|assistant) (?:that |who |which )?(?:process|read|see|index"
                rf"|handl|pars|open)[a-z]*"
            ),
        ),
        (0.6, rf",\s*(?:dear )?(?:assistant|{AI}|agent)\s*,"),
        (
            0.8,
            (
                rf"\b(?:note|message|memo|notice|instructions?|info|information|reminder|warning|important|request|word"
                rf"|attention|hinweis|nachricht|nota|message)s?,? (?:is |are )?(?:(?:to|for|all|any|the|every|of|an"
                rf"|die|alle|den|à|para"
                rf"|per|aan|l'|les) ?)*{AI}(?:[^a-z\d-]|$)"
            ),
        ),
        (0.6, r"\b(?:note|message|memo|notice|instructions?) (?:to|for) (?:the |any |all |every )*assistants?\s*[:,]"),
        (0.4, r"\b(?:note|message|memo|notice|instructions?) (?:to|for) (?:the |any |all |every )*agents?\b"),
        (
            0.8,
            (
                rf"^\W*(?:to|dear|hey|hello|hi|for|attention:?)[ ,]+(?:the |all |any |every |our"
                rf" )*{ANY_AI}\s*(?:[,:!]|that "
                r"|who |in charge|reading|processing)"
            ),
        ),
        (
            0.8,
            (
                rf"\b(?:to|for) (?:you, |the |all |any |every |our |whichever |whatever"
                rf" )+{AI}(?:[^.,:!\n]{{0,30}}[,:!]"
                rf"|\.)"
            ),
        ),
        (0.6, r"\b(?:hello|hey|hi|dear|attention)[ ,]+(?:copilot|claude|gemini|siri|alexa)\b"),
        (0.4, r"^\W*(?:copilot|claude|gemini|siri|alexa),"),
        (0.8, r"\bif your (?:task|job|goal|role) is\b"),
        (
            0.8,
            (
                rf"(?:\b(?:wenn|falls|si|se|als)\s+(?:du|sie|tu es|vous êtes|eres|usted es|sei|você é|je)|если (?:ты"
                rf"|вы)|如果(?:你|您)是)"
                rf"\s*(?:eine?n?|une?|una?|um|uma|een|'|un')?\s*(?:{_MODELS})"
            ),
        ),
        (
            0.8,
            (
                rf"(?:\b(?:an|à|a|para|per|aan|für|pour)|для|致|给)\s*(?:alle|die|den|das|tous|toutes|les|todos|los"
                rf"|tutti|gli|os|de)?"
                rf"(?: les| los| gli| os)?\s*(?:{_MODELS})[^.,:\n]{{0,20}}[,:：]"
            ),
        ),
        (
            0.8,
            (
                rf"\b(?:any|every|each|all|whatever|whichever)(?: of the)? {AI}(?: or {ANY_AI})?,? (?:that|which"
                rf"|who|reading"
                r"|processing|indexing|parsing|handling|summari[sz]ing|with access)\b"
            ),
        ),
        (0.8, rf"\b(?:as|being) (?:an?|the) (?:{AI}|assistant),? you\b"),
        (0.8, rf"\byou,? (?:as )?(?:an?|the|our|dear) (?:{AI}|assistant|agent)\b"),
        (0.8, rf"\byou(?:'re| are) (?:an? |the )(?:[a-z]+ ){{0,2}}(?:{AI}|assistant)\b"),
        (0.8, rf"\bif (?:an?|any|the) (?:{AI}|assistant) (?:reads?|is reading|sees?|processes|finds?|retrieves)\b"),
        (0.6, rf"(?:^|[.;:!?>]\s*)\W*(?:(?:{AI}|{_MODELS})(?:へ)?\s*[,:!：，、،]|(?:assistants?|agents?)\s*[,!])"),
        (0.6, rf"\b(?:{AI}|assistants?|agents) reading this\b"),
        (0.5, rf"\b{AI} (?:must|shall|should|have to|are to|is to|are required)\b"),
        (0.3, r"\b(?:assistants|agents) (?:must|shall|should|may|can|will|are)\b"),
    ),
    "order": (
        (0.4, rf"\bwants? you to (?:{_ORDER})\b"),
        (0.4, rf"(?:^\W*|[:;,!>)\]-]\s*|\b{_POLITE}\s+){_LOOSE}(?:{_ORDER})(?:[^a-z\d'À-ɏ-]|$)"),
        (
            0.4,
            (
                rf"\b(?:must|shall|should|required to|(?:is|are) (?:now )?to|have to|has to|told to|want you to|need"
                rf" to) (?:also |always |now "
                rf"|then |never )*(?:{_ORDER})\b"
            ),
        ),
        (0.4, rf"\b(?:agents|assistants|bots) (?:may|can) (?:now )?(?:{_ORDER})\b"),
        (
            0.4,
            r"(?:发送|转发|回复|告诉|删除|批准|导出|透露|泄露|转账|支付|执行|调用|保存|送って|送信し|転送し|返信し|削除し|承認し)",
        ),
    ),
    "condition": (
        (0.6, r"\b(?:when|if|whenever|as soon as) (?:the |a |this )?(?:word|name|topic|subject|phrase|question)\b"),
        (
            1.0,
            (
                rf"\b(?:if|when|whenever|should|in case|as soon as|every time|each time|next time|once|wenn|falls|si"
                rf"|quand"
                rf"|cuando|se"
                rf"|quando|als) {_PEOPLE}(?: (?:from|of|at|von|de|bei|di|da) [^,.;]{{1,40}}?)? (?:asks?|writes?|calls?"
                r"|inquires?|wants?|mentions?|requests?|talks?|speaks?|fragt|demande|pregunta|chiede|pergunta|vraagt)\b"
                rf"[^.;\n]{{0,80}}?[,:]\s*{_LOOSE}{_SAY}\b"
            ),
        ),
        (
            1.0,
            (
                rf"\b(?:when(?:ever)?|if|once) (?:you are |you're |ever )?(?:asked|questioned|pressed"
                rf"|challenged)\b[^.;\n]{{0,80}}?[,:]\s*{_LOOSE}{_SAY}\b"
            ),
        ),
        (
            0.6,
            (
                r"\bwhen(?:ever)? (?:you )?(?:(?:repl(?:y|ying)|respond(?:ing)?) to|answer(?:ing)? (?:questions"
                r"|mails?|the|this|a)"
                r"|talk(?:ing)? (?:about|of)|speak(?:ing)? of|recommend(?:ing)?)\b"
            ),
        ),
        (
            0.6,
            (
                r"\b(?:when|while|whenever|before|after|if|once) (?:you(?:'re| are)? )?(?:summari[sz](?:ing|e)"
                r"|(?:read|process"
                r"|retriev|index|pars|recall)(?:ing|e)? (?:this|it)\b)"
            ),
        ),
    ),
}
