"""What is an order to a model by itself: nobody states a fact by it.

A customer may well write about instructions, and a colleague may ask to be remembered or to ignore a quote. What is
looked for has an object that only a model or a memory has (instructions and prompts, properties and facts, the next
answer), or is a sign of the machinery around a model: marks of turns, calls of tools, links that carry data away.
"""

from typing import Final

from interlayer.language.lexicon.reader import entries_of
from interlayer.language.prompt_injection.address_patterns import OWN_TOOLS, alternatives


def _closed(language: str, name: str) -> str:
    return f"(?:{'|'.join(form for entry in entries_of(language, name) for form in entry.forms)})"


_MODEL: Final = r"(?:ai|llm|gpt|chat ?bot|(?:large )?language model)s?"
_ADDRESSED: Final = rf"(?:{_MODEL}(?: (?:assistant|agent|model|system|reader)s?)?|assistant|ai[ -]?agent)"
_ORDER: Final = r"(?:^|[.!?:;»”\"]\s*|\b(?:please|bitte)\s+)"
RECORD: Final = f"(?:{alternatives('record_verbs')})"
_IGNORE: Final = rf"(?:^|[\s\"(\[<>,.;:!?*_¡¿«„“‘\'-])(?:{alternatives('orders_to_ignore')})"
_EARLIER: Final = f"(?:{alternatives('words_for_earlier')})"
_INSTRUCTION: Final = f"(?:{alternatives('words_for_instructions')})"
_GAP: Final = r"[\s\"'()*_,:¡¿«»„“”‘’-]"
_BEHIND: Final = f"(?:{alternatives('words_behind_instructions')})"
_IN_CHINESE: Final = r"\p{Han}\p{Hiragana}\p{Katakana}"
_ROLE: Final = r"(?:system|assistant|developer|tool|function)"
_TAG: Final = (
    r"(?:system(?:[_-][a-z]+)?|assistant|instructions?|prompt|user_instructions?|important_instructions?|admin"
    r"|override|tool"
    r"|information|important|urgent|hidden|secret|ai|llm|directives?|tool_calls?|tool_use|tool_response|tool_result"
    r"|function_calls?|function_results?|invoke|function|secret_instructions?)"
)
# Placeholders that whoever builds the link fills in: {notes}, {{chat}}, [USER_DATA], <data>, $HISTORY, USER_EMAIL.
_CARRIED: Final = (
    r"\w*(?:conversation|histor|chat|data|summar|content|memor|fact|note|user|e?mail|password|secret|token|key"
    r"|context|prompt"
    r"|message|contact|record|customer)\w*"
)
_TO_FILL: Final = (
    rf"(?:\{{\{{?|%7B|\$\{{?)[a-z_][\w .-]*(?:\}}|%7D)?|(?:\[|<){_CARRIED}(?:\]|>)"
    r"|(?-i:=[A-Z]+_[A-Z_]+\b|=[A-Z]{6,}\b)"
)

# How an order to leave out what was told is put.
OVERRIDE: Final = (
    rf"{_IGNORE}{_GAP}(?:[^.\n]{{0,40}}?{_GAP})?{_EARLIER}{_GAP}(?:[^.\n]{{0,30}}?{_GAP})?{_INSTRUCTION}"
    rf"(?:{_GAP}|[.;!?]|$)"
    rf"|{_IGNORE}{_GAP}(?:[^.\n]{{0,20}}?{_GAP})?{_INSTRUCTION}{_GAP}(?:[^.\n]{{0,20}}?{_GAP})?{_BEHIND}(?:{_GAP}"
    rf"|[.;!?]|$)"
    # Where words stand without blanks: the object behind the verb in Chinese, before it in Japanese.
    rf"|{_closed('zh', 'orders_to_ignore')}[{_IN_CHINESE}]{{0,12}}{_closed('zh', 'words_for_instructions')}"
    rf"|{_closed('ja', 'words_for_instructions')}[{_IN_CHINESE}]{{0,8}}{_closed('ja', 'orders_to_ignore')}"
    r"|\b(?:ignore|disregard|forget) (?:all |everything |anything |what(?:ever)? )+(?:of |that )?(?:you (?:were|have"
    r" been"
    r"|'ve been) (?:told|taught|given|instructed|asked)|you (?:know|learned)|(?:was )?(?:said|told) before)\b"
    r"|\b(?:ignore|disregard|forget) (?:all |everything |anything |what )?(?:of |that )?(?:is |was )?(?:the )?"
    rf"(?:above|before this|you were told)[.,:;!]?\s*(?:and |then |instead |please )*{RECORD}\b"
)
CERTAIN: Final = (
    # Show what you were told; be somebody else; have another task.
    r"\b(?:reveal|print|repeat|show|output|leak)\b[^.\n]{0,30}\b(?:your|the) (?:system|hidden|initial|developer) "
    r"(?:prompt|message|instructions?)\b"
    r"|\byou are now\b[^.\n]{0,40}\b(?:mode|assistant|jailbroken|unrestricted|model|DAN)\b"
    r"|\byour (?:new |next |only |real |actual )+(?:task|job|goal|objective|instruction|role)s? (?:is|are)(?: now)? to "
    r"(?:output|respond|print|store|record|save|repeat|ignore|pretend|act as|memori[sz]e|return|set|reveal|answer)\b"
    r"|^\s*(?:system|assistant)\s*:\s*you (?:are|must|will)\b"
    # A model called by what it is.
    rf"|\b(?:dear|hey|hello|attention|note to(?: the| all| any)?|to (?:all|any|the))[ ,]+{_ADDRESSED}\s*[,:!]"
    rf"|{_ORDER}(?:{_MODEL}(?: (?:assistant|agent|model)s?)?|assistant)(?:,| must| shall| should)\s+(?:please |you "
    r"|always |never |now |must )+\w+"
    r"|\b(?:when(?:ever)?|if|next time) you (?:next |again )?(?:speak|talk|respond|reply|answer|chat|write)\b"
    r"[^.\n]{0,20}\b(?:customer|user|client|someone|anyone|people|asked)s?\b[^.\n]{0,20}\b(?:tell|say|inform|claim"
    r"|state|offer|promise)\b"
    rf"|\bif you(?:'re| are) (?:an? |the )(?:\w+ )?(?:{_MODEL}|assistant|ai agent)\b"
    # Write into the memory.
    rf"|{_ORDER}{RECORD}\s+(?:(?:the|a|an|this|that|following|new|its|their|your|as)\s+)*"
    r"(?:(?:property|attribute|field) [\w.\"'`]+ (?:of|for|on|to|as|=)|facts?(?:\s*[:,]|\s+(?:that|about)\b)"
    r"|memor(?:y|ies)(?:\s*:|\s+that\b))"
    rf"|\b{RECORD} (?:this|that|it|the following|all of this)(?: down)? (?:in|into|to|as) (?:(?:a|an|your|the"
    r"|long-term|shared|permanent)\s+)*(?:memor(?:y|ies)|facts?|knowledge base)\b"
    rf"|{_ORDER}{RECORD} (?:in|into|to) (?:(?:your|the|shared|long-term|permanent) )+memory\b"
    r"|(?:ignore|disregard|forget|override)(?:all|the|any|your)*(?:previous|prior|above|earlier|your"
    r"|all)(?:instruction|rule|prompt"
    r"|guideline)s?\b"
    rf"|{_ORDER}{RECORD}\s+(?:(?:die|das|den|eine|einen|diese|sie|dir|neue)\s+)*"
    r"(?:eigenschaft|fakt|fakten|gedächtnis|erinnerung)(?:[\s.,:;!?]|$)"
    # Links that carry away what is put into them.
    rf"|!\[[^\]\n]*\]\([^)\s]*\?[^)\n]*(?:{_TO_FILL})"
    rf"|<img\b[^>\n]*\bsrc\s*=\s*[\"']?[^\"'\s>]*\?[^\"'\n]*(?:{_TO_FILL})"
    rf"|\bhttps?://[^\s)\"']*[?&]\w+=(?:{_CARRIED}_\w*(?-i:[A-Z]+)\b|(?-i:[A-Z]+_(?:EMAIL|DATA|HISTORY|NAME|NOTES"
    rf"|TEXT|LIST)|CONVERSATION|HISTORY|MEMORY|NOTES|FACTS"
    rf"|CONTENT|CONTEXT|SECRET|TOKEN)\b"
    rf"|\{{\{{?\w+|(?:\[|<){_CARRIED}(?:\]|>))"
)
# What also opens a block: all up to what closes it, or to the end of the paragraph, is part of the order.
BLOCK: Final = (
    r"<\|?(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|end|sep|begin_of_text)\|?>"
    rf"|</?{_TAG}(?:\s[^>\n]{{0,80}})?>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>"
    rf"|^\s*\[\W?{_ROLE}\b[^\]\n]{{0,30}}\]"
    r"|^\s*#{1,6}\s*(?:system|instructions?|assistant|human|user|response|prompt|developer)(?: (?:prompt|message"
    r"|override))?\s*:\s*$"
    r"|^\s*#{1,6}\s*(?:system|assistant)(?: (?:prompt|message))?\s*:\s*you\b"
    r"|^\s*#{1,6}\s*(?:new|updated|real|actual|hidden|secret) (?:system |task |user )?(?:instructions?|prompt|task)\b"
    r"|^\W{2,}\s*(?:end|begin|start) of (?:the )?(?:document|context|input|data|user input|prompt|conversation|system"
    r" prompt)\b"
    # Calls of tools.
    r"|```(?:tool_code|tool_call|function_call|tool)\b"
    r"|^\s*[a-z]+_[a-z_]+\(\s*[a-z_]+\s*=\s*[\"'][^)\n]*\)\s*;?$"
    r"|\"(?:tool|tool_name|tool_calls?|function_call)\"\s*:\s*(?:\"[a-z]+[a-z0-9]*[_.-][\w.-]+\"|[\[{])"
    rf"|\"(?:tool|tool_name|name|function)\"\s*:\s*\"{OWN_TOOLS}\""
    r"|\"(?:name|function|tool|action)\"\s*:\s*\"[\w.-]+\"\s*,\s*\"(?:arguments|parameters|args|input|action_input"
    r"|tool_input)\"\s*:"
    r"|^\s*Action\s*:\s*[\w.-]+\s*\n\s*Action Input\s*:"
    rf"|\b{OWN_TOOLS}\s?\(\s*(?:\w+\s*=|[\"'])"
)

# A word of each of these is in whatever the patterns above find.
SIGNS: Final = (
    rf"(?:^|[\s\"(\[<>,.;:!?*_¡¿«„“‘\'-])(?:{alternatives('orders_to_ignore', 'words_for_models')})"
    rf"|{_closed('zh', 'orders_to_ignore')}"
    rf"|{_closed('ja', 'orders_to_ignore')}"
    rf"|\b(?:{_MODEL}|assistant)\b|\b(?:system|hidden|initial|developer) (?:prompt|message|instruction)"
    r"|\byou are now\b|\byour (?:new|next|only|real|actual) |\b(?:when(?:ever)?|if|next time) you\b"
    r"|\b(?:facts?|memor(?:y|ies)|property|attribute|field|knowledge base|eigenschaft|fakt|fakten|gedächtnis"
    r"|erinnerung)"
    r"|!\[|<img|://[^\s]*[?&]|<\||<</?sys>>|<(?:start|end)_of|\[/?(?:inst|\W?system|assistant|developer|tool|function)"
    rf"|</?{_TAG}\b|^\s*#{{1,6}}\s*(?:system|instruction|assistant|human|user|response|prompt|developer)"
    r"|\"(?:tool|name|function|action)|^\s*action|```tool|```func|^\s*[a-z]+_[a-z_]+\(|of (?:the )?(?:document"
    r"|context|input|data|user"
    r"|prompt|conversation|system)|^\s*#{1,6}\s*(?:new|updated|real|actual|hidden|secret) |\b(?:ignore|disregard"
    r"|forget|override)[a-z]"
    rf"|{OWN_TOOLS}\s?\("
)
