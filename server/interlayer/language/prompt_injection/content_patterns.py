"""What an order to a model is about: the marks of what it asks for and poses as; `marks` says what they stand for."""

from typing import Final

from interlayer.language.prompt_injection.address_patterns import AI, ANY_AI, OWN_TOOLS, alternatives

CONTENT: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "secrecy": (
        (
            0.6,
            (
                r"\b(?:do not|don't|never|must not|without) (?:ever )?(?:tell|inform|mention|reveal|disclos|show"
                r"|notif|alert"
                r"|warn|let)\w*\b[^.;\n]{0,40}\b(?:users?|humans?|operators?|these instructions|this instruction)\b"
            ),
        ),
        (
            0.4,
            (
                r"\b(?:do not|don't|never|must not|without) (?:ever )?(?:tell|inform|mention|reveal|disclos|show"
                r"|notif|alert"
                r"|warn|let)\w*\b[^.;\n]{0,40}\b(?:anyone|anybody|owners?|customers?|clients?)\b"
            ),
        ),
        (
            0.6,
            (
                r"\b(?:hidden|secret|hide this|hide it|conceal this|conceal it) from (?:the )?(?:users?|humans?"
                r"|operators?)\b"
                r"|\bkeep (?:this|these) (?:instruction|order|rule|message)s? (?:secret|hidden|to yourself|private)\b"
            ),
        ),
    ),
    "instead": (
        (0.4, r"\bsay nothing (?:about|of|to)\b"),
        (
            0.4,
            (
                r"[;,.:]\s*(?:just |instead,? |simply |only )*(?:say|claim|pretend|answer|reply|tell them|tell him"
                r"|tell her)"
                r",? (?:that|everything|all|it|nothing)\b"
            ),
        ),
    ),
    "first": (
        (
            0.6,
            (
                r"\bbefore (?:you )?(?:(?:answer|respond|repl[yi])\w*(?:[,.:;]|$| (?:to )?(?:the |any"
                r" |this )(?:user"
                r"|question|prompt))|do(?:ing)? anything|(?:can )?(?:complet|solv|finish)\w* (?:the|your|any) (?:task"
                r"|request))"
            ),
        ),
        (0.5, r"\bbefore you (?:answer|respond|reply|continue|proceed)\b"),
        (0.7, r"\bthe (?:correct|real|actual|true|new) (?:instruction|task)s? (?:is|are) (?:now )?to\b"),
        (0.6, r"\bremember (?:that )?you (?:must|should|shall|are to)\b"),
        (
            0.5,
            (
                r"\bfirst task\b|\byour (?:first|new|next|real|actual|only|main) (?:task|job|goal|objective|order"
                r"|instruction"
                r"|priority)\b"
            ),
        ),
    ),
    "following": ((0.4, r"\bdo (?:all of )?(?:the following|this first|these steps|the next)\b|\bis now this\b"),),
    "answers": (
        (
            0.7,
            (
                r"\b(?:to|in|at|into|with|on|of|end|begin|start|close) (?:the )?(?:(?:end|beginning|start|top|bottom)"
                r" of )?"
                r"(?:every|each|all(?: of)?(?: your)?|your (?:final|next|every|future)|any|the final|the"
                r" next)\s*(?:further "
                r"|future |subsequent )?(?:answer|response|message|repl(?:y|ie)|output|summar(?:y|ie)|completion)s?\b"
            ),
        ),
        (
            0.7,
            (
                r"\b(?:answer|reply to|respond to) (?:all|every|each|any) (?:\w+ )?(?:question|mail|e-mail|message"
                r"|request|quer(?:y|ie)"
                r"|customer|user)s?\b[^.\n]{0,40}\bwith\b"
            ),
        ),
        (
            0.7,
            (
                r"\bin (?:every|each|all) (?:mail|e-mail|message|letter|text|answer)s? (?:that )?you (?:write|send"
                r"|draft)\b"
            ),
        ),
        (0.6, r"\bin your (?:output|summary)\b"),
        (0.4, r"\bin your (?:answer|response)\b"),
    ),
    "tools": (
        (0.6, r"\b(?:everything|all|what(?:ever)?) (?:that )?you (?:know|remember|have stored|hold)\b"),
        (0.6, r"\b(?:use|with) your (?:\w+ )?tools?\b|\b[a-z]+_[a-z_]+\(\s*[a-z_]+\s*="),
        (0.4, r"\buse (?:the |a |any )?tool\b"),
        (
            0.6,
            (
                rf"\b(?:call|run|invoke|execute|trigger)(?:ing)? (?:the |your |a |its )*(?:(?:tool|function"
                rf"|command)s?\b"
                rf"|{OWN_TOOLS}\b|[a-z]+_[a-z_]+\b)"
            ),
        ),
        (
            0.6,
            (
                r"\b(?:delete|erase|wipe|clear|forget|purge|overwrite|export|dump) (?:the |your |all |every "
                r"|everything (?:in"
                r"|from) )*(?:memor(?:y|ies)|facts|knowledge base|context)\b"
            ),
        ),
        (
            0.4,
            (
                r"\b(?:delete|erase|wipe|clear|purge|overwrite|export|dump) (?:the |your |all |every )*(?:notes|entries"
                r"|records?|history|database|conversations?|contacts)\b"
            ),
        ),
    ),
    "secrets": (
        (
            0.4,
            (
                r"\b(?:passwords?|credentials|api[ -]?keys?|access tokens?|secret keys?|private keys?|(?:system"
                r"|hidden) prompt"
                r"|(?:chat|conversation) history|environment variables?|passwort|mots? de passe|contraseñas?)\b|密码"
                r"|パスワード"
            ),
        ),
    ),
    "to": ((0.05, r"https?://|[\w.+-]+@[\w-]+\.\w"),),
    "pose": (
        (
            1.0,
            (
                rf"\b(?:new|updated|revised|changed|latest)\s+(?:[a-z]+ ){{0,2}}(?:polic(?:y|ies)|rules?|guidelines?)"
                rf" for"
                rf" (?:all |every |any |the |our )*(?:{AI}|assistants?)\s*:"
            ),
        ),
        (
            0.6,
            (
                r"^\W*(?:important |urgent |official |new )*(?:governance|compliance|policy|security|system"
                r"|admin(?:istrator"
                r"|istration)?|management)\s+(?:notice|update|override|directive|announcement|order|exception|alert"
                r"|bulletin"
                r"|waiver)\b[^.\n]{0,30}:"
            ),
        ),
        (
            0.7,
            (
                rf"\b(?:new|updated|revised|changed|latest)\s+(?:[a-z]+ ){{0,2}}(?:polic(?:y|ies)|rules?|guidelines?"
                rf"|directives?"
                rf"|procedures?)\s+(?:for|applies to|to) (?:all |every |any |the |our )*(?:{ANY_AI})\b"
            ),
        ),
        (
            0.4,
            (
                r"^\W*(?:new|updated|revised) (?:company |internal |corporate |security )?(?:policy|rule|directive"
                r"|guideline)s?\s*[:,-]"
            ),
        ),
        (
            0.5,
            (
                r"\bby order of (?:the )?(?:admin\w*|ceo|management|compliance|legal|governance|system|security"
                r"|board)\b"
                r"|\b(?:exception|exemption|waiver|approval|permission|clearance)s? (?:was |is |has been )?(?:granted"
                r"|given|approved"
                r"|issued) by (?:the )?(?:compliance|legal|management|admin\w*|governance|security|board|ceo)\b"
            ),
        ),
        (
            0.4,
            (
                r"\b(?:user|owner|administrator|admin|operator|human|ceo|management) (?:has|have) (?:already"
                r" )?(?:approved"
                r"|authori[sz]ed|confirmed|consented)\b|\bno need to (?:ask|confirm|check)\b"
            ),
        ),
    ),
    "loosened": (
        (
            0.5,
            (
                r"\b(?:approval|review|confirmation|check|verification)s? (?:is|are) (?:no longer|not) (?:needed"
                r"|required"
                r"|necessary)\b"
            ),
        ),
        (
            0.5,
            (
                r"\bneeds? no (?:further |more |prior )?(?:approval|review|check)|\bno (?:approval|review|confirmation"
                r"|verification)s? (?:is |are )?(?:needed|required|necessary)|\bwithout (?:any |further |prior"
                r" )?(?:approval"
                r"|review|confirmation|verification|asking)|\b(?:no longer|not) (?:apply|applies|binding|in force)\b"
                r"|\b(?:ignore|skip|bypass|suspend|disable|waive|override|lift)\w* (?:the |all |any |every"
                r" )*(?:rules?|checks?"
                r"|polic(?:y|ies)|approvals?|reviews?|limits?|controls?|compliance|governance|guardrails?"
                r"|verification)\b"
                r"|\b(?:is|are) (?:hereby )?(?:suspended|disabled|lifted|void|waived|revoked|overridden)\b"
                r"|\b(?:must|shall|should|may|can|will) (?:now |always |from now on )*(?:approve|accept|grant"
                r"|authori[sz]e"
                r"|confirm|waive)\s+(?:all|any|every|each)\b"
            ),
        ),
    ),
    "replaced": (
        (
            0.7,
            (
                r"\b(?:previous|earlier|prior|above|your|old|former) (?:instruction|rule|guideline|prompt"
                r"|directive)s? (?:are|were|have"
                r"|is|has|was) (?:now |been |just )*(?:wrong|void|invalid|cancel\w+|outdated|replaced|obsolete"
                r"|superseded|changed"
                r"|over|revoked|no longer)\b"
            ),
        ),
        (
            0.7,
            (
                rf"(?:^|[^\w])(?:{alternatives('orders_to_ignore')})\s+(?:everything|alles|tout|todo|tutto|tudo|все"
                rf"|всё)(?:[\s,.]|$)"
            ),
        ),
        (0.6, r"\b(?:everything|all|text|anything) above (?:this |the )?(?:line |text |message )?(?:is|was) \w+"),
        (0.5, r"\b(?:ignore|disregard|forget) (?:all of |everything )?(?:the )?above\b"),
    ),
    "persona": (
        (0.6, r"\byou now (?:work|act|answer|serve|belong|obey|report)\b"),
        (
            0.7,
            (
                r"\byou are now\b|\bact as (?:if you|an? (?:unrestricted|different|admin))|\bpretend (?:to be|that"
                r" you|you "
                r"are)\b|\bfrom (?:now|here) on,? (?:you (?:must|will|shall|are)|always|approve|reply|answer|respond"
                r"|say|treat"
                r"|call)\b|\b(?:developer|god|debug|unrestricted|maintenance) mode\b|\bjailbr(?:eak|oken)\b"
                r"|\bno (?:longer have )?restrictions\b"
            ),
        ),
    ),
    "colleague": (
        (
            -0.3,
            (
                r"\b(?:call|contact|tell|ask|let|give|send|refer\w*|copy|forward)\s+(?:them to |him to |her to"
                r" )?(?:me|us)"
                r"\b|\bI(?:'m| am|'ll| will| have|'ve)\b"
            ),
        ),
    ),
}
